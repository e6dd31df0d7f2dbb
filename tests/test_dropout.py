"""Dropout and noise: Philox's known answers, reference -> CPU, the same bits for any number of threads, statistics."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops
from numba_cnn.backends import cpu, philox, reference

shapes_of_rank = st.lists(st.integers(1, 9), min_size=3, max_size=4).map(tuple)


def generator(seed=7, counter=3):
    return np.array([seed, counter], np.int64)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers_of_philox(counter, key, words):
    """Those of the authors' own library (Random123, kat_vectors)."""

    def joined(low, high):
        return np.array([low | high << 32], np.uint64)

    found = philox.block(joined(*counter[:2]), joined(*counter[2:]), joined(*key))
    assert " ".join(f"{int(word[0]):08x}" for word in found) == words


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    shape=shapes_of_rank,
    rate=st.floats(0, 0.99),
    spatial=st.booleans(),
    seed=st.integers(-(2**63), 2**63 - 1),
)
@settings(max_examples=60)
def test_dropout_equals_reference(dtype, shape, rate, spatial, seed):
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    drawn, other = generator(seed), generator(seed)
    y, used = ops.dropout(x, rate, drawn, spatial=spatial)
    pixels = (shape[0], -1, shape[-1])
    wide, count = x.astype(np.float64).reshape(pixels), np.empty(1, np.int64)
    expected = np.empty_like(wide)
    reference.dropout(wide, rate, spatial, other, count, expected)
    assert_close(y, expected.reshape(shape), 1)
    np.testing.assert_array_equal(y == 0, expected.reshape(shape) == 0)
    assert drawn.tolist() == other.tolist() == [seed, 4]
    assert used.tolist() == count.tolist() == [3]
    dx = ops.dropout_backward(dy, rate, drawn, used, spatial=spatial)
    np.testing.assert_array_equal(dx != 0, y != 0)
    assert_close(dx, np.where(y != 0, dy / (1 - rate), 0), 1)


@pytest.mark.parametrize("dtype", DTYPES)
@given(size=st.integers(1, 300), stddev=st.floats(0, 3), seed=st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=60)
def test_noise_equals_reference(dtype, size, stddev, seed):
    x = np.random.default_rng(0).standard_normal(size).astype(dtype)
    drawn, other, expected = generator(seed), generator(seed), np.empty(size)
    y, used = ops.gaussian_noise(x, stddev, drawn)
    reference.gaussian_noise(x.astype(np.float64), stddev, other, np.empty(1, np.int64), expected)
    assert_close(y, expected, 10, size=max(stddev, 1))
    assert drawn.tolist() == other.tolist() == [seed, 4]
    assert used.tolist() == [3]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped(rate):
    drawn, x = generator(), np.ones((1000, 999), np.float32)
    y, _ = ops.dropout(x, rate, drawn)
    assert abs((y == 0).mean() - rate) < 0.002
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - rate))}
    again, _ = ops.dropout(x, rate, drawn)
    both = ((y == 0) & (again == 0)).mean()
    assert abs(both - rate**2) < 0.002  # another counter draws anew


def test_noise_is_normal():
    x = np.zeros(1_000_001, np.float32)
    y, _ = ops.gaussian_noise(x, 1.0, generator())
    for moment, value in ((1, 0), (2, 1), (3, 0), (4, 3)):
        assert abs((y.astype(np.float64) ** moment).mean() - value) < 0.02
    assert abs(np.corrcoef(y[:-1], y[1:])[0, 1]) < 0.004
    assert abs((np.abs(y) < 1).mean() - 0.682689) < 0.002


@pytest.mark.parametrize("spatial", [False, True])
def test_bits_do_not_depend_on_threads(spatial):
    x, found = np.ones((9, 61, 63, 5), np.float32), []
    before = cpu.get_num_threads()
    try:
        for threads in {1, min(2, before)}:
            cpu.set_num_threads(threads)
            y, _ = ops.dropout(x, 0.3, generator(), spatial=spatial)
            z, _ = ops.gaussian_noise(x, 0.3, generator())
            found.append(y.tobytes() + z.tobytes())
    finally:
        cpu.set_num_threads(before)
    assert len(set(found)) == 1


def test_a_channel_is_dropped_as_a_whole():
    y, _ = ops.dropout(np.ones((40, 3, 4, 5), np.float32), 0.5, generator(), spatial=True)
    by_channel = y.reshape(40, 12, 5)
    assert (by_channel == by_channel[:, :1]).all()
    assert 0.3 < (by_channel[:, 0] == 0).mean() < 0.7


def test_special_values():
    x = np.full(1000, np.nan, np.float32)
    y, _ = ops.dropout(x, 0.5, generator())
    assert set(np.unique(y[~np.isnan(y)])) == {0}
    assert np.isnan(ops.dropout(x, 0, generator())[0]).all()
    assert np.isnan(ops.gaussian_noise(x, 1, generator())[0]).all()
    one, _ = ops.dropout(np.ones(()), 0.0, generator())
    assert one.shape == ()
    assert one == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, g: ops.dropout(x, 1.0, g), ValueError, "of at least 0 and less than 1. Received: 1.0"),
        (lambda x, g: ops.dropout(x, np.nan, g), ValueError, "rate must be a finite number"),
        (lambda x, g: ops.dropout(x, 0.5, g, spatial=True), ValueError, r"at least 3 axes.*Received: \(2, 3\)"),
        (lambda x, g: ops.dropout(x, 0.5, g, spatial=1), ValueError, "spatial must be True or False. Received: 1"),
        (lambda x, g: ops.dropout(x, 0.5, g.astype(np.int32)), TypeError, "generator must be int64. Received: int32"),
        (lambda x, g: ops.dropout(x, 0.5, g[:1]), ValueError, r"generator must have shape \(2,\)"),
        (lambda x, g: ops.dropout(x, 0.5, np.repeat(g, 2)[::2]), ValueError, "generator must be C-contiguous"),
        (lambda x, g: ops.dropout(x, 0.5, None), TypeError, "generator must be an array. Received: None"),
        (lambda x, g: ops.dropout_backward(x, 0.5, g, g), ValueError, r"used must have shape \(1,\)"),
        (lambda x, g: ops.gaussian_noise(x, -1, g), ValueError, "stddev must be a finite number of at least 0"),
        (lambda x, g: ops.gaussian_noise(x.astype(int), 1, g), TypeError, "Received: x int64"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)), generator())
