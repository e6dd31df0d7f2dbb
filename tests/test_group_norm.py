"""Normalization of samples by themselves: finite differences -> reference -> CPU; large means, threads, NaN."""

import math

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from numba_cnn import ops
from numba_cnn.backends import cpu, reference

extent = st.integers(1, 9)


def _reference(name, arrays, numbers, outputs):
    made = [np.empty(shape) for shape in outputs]
    getattr(reference, name)(*(a.astype(np.float64) for a in arrays), *numbers, *made)
    return made


def _scales(channels, dtype=np.float32, seed=0):
    """gamma and beta."""
    return np.random.default_rng(seed).standard_normal((2, channels)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.tuples(extent, extent, extent, extent, extent), seed=st.integers(0, 99))
@example(shape=(2, 40, 40, 3, 7), seed=0)
@example(shape=(400, 1, 1, 2, 70), seed=0)
@example(shape=(2, 1, 1, 1, 5000), seed=0)
@settings(max_examples=40)
def test_groups_equal_reference(dtype, shape, seed):
    (N, H, W, G, K), rng = shape, np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, N, H, W, G * K)).astype(dtype)
    inner, (gamma, beta) = (N, H * W, G, K), _scales(G * K, dtype, seed)
    got = ops.group_norm(x, gamma, beta, G, 0.1)
    wide = [a.reshape(G, K) for a in (gamma, beta)]
    expected = _reference("group_norm", [x.reshape(inner), *wide], [0.1], [inner, (N, G), (N, G)])
    terms = 4 * H * W * K
    for actual, made in zip(got, expected, strict=True):
        assert_close(actual, made.reshape(actual.shape), terms, size=1)
    arrays = [dy.reshape(inner), x.reshape(inner), wide[0], *expected[1:]]
    expected = _reference("group_norm_backward", arrays, [], [inner, (G, K), (G, K)])
    got = ops.group_norm_backward(dy, x, gamma, *got[1:])
    for actual, made in zip(got, expected, strict=True):
        assert_close(actual, made.reshape(actual.shape), terms + 4 * N * H * W, size=9)


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=st.integers(1, 40), length=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_lengths_equal_reference(dtype, rows, length, seed):
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, rows, length)).astype(dtype)
    x[::3] *= 0.01  # shorter than epsilon
    y, inverse = ops.unit_norm(x, 0.2)
    expected = _reference("unit_norm", [x], [0.2], [x.shape, (rows,)])
    assert_close(y, expected[0], length, size=1)
    assert_close(inverse, expected[1], length)
    made = np.empty(x.shape)
    reference.unit_norm_backward(dy.astype(float), *expected, 0.2, made)
    assert_close(ops.unit_norm_backward(dy, y, inverse, 0.2), made, 4 * length, size=20)


@pytest.mark.parametrize(
    ("shape", "groups"), [((3, 4, 6), 1), ((3, 4, 6), 2), ((2, 5, 3), 3), ((4, 7), 1)]
)
def test_groups_against_finite_differences(shape, groups):
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, *shape))
    gamma, beta = _scales(shape[-1], np.float64)
    _, *statistics = ops.group_norm(x, gamma, beta, groups, 1e-3)
    gradients = ops.group_norm_backward(dy, x, gamma, *statistics)
    arrays = [x, gamma, beta]
    assert_gradient(
        lambda *arrays: ops.group_norm(*arrays, groups, 1e-3)[0], arrays, gradients, dy, rng
    )


@pytest.mark.parametrize("epsilon", [1e-12, 100])
def test_lengths_against_finite_differences(epsilon):
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 3, 5, 4))
    dx = ops.unit_norm_backward(dy, *ops.unit_norm(x, epsilon), epsilon)
    assert_gradient(lambda x: ops.unit_norm(x, epsilon)[0], [x], [dx], dy, rng)


def test_a_mean_a_thousand_times_the_deviation():
    x = (1000 + np.random.default_rng(0).standard_normal((4, 50, 50, 6))).astype(np.float32)
    ones, zeros = np.ones(6, np.float32), np.zeros(6, np.float32)
    y, *_ = ops.group_norm(x, ones, zeros, 2, 0.0)
    wide = x.astype(np.float64).reshape(4, 2500, 2, 3)
    expected = (wide - wide.mean((1, 3), keepdims=True)) / wide.std((1, 3), keepdims=True)
    np.testing.assert_allclose(y.reshape(wide.shape), expected, atol=1e-5)
    rows = x.reshape(-1, 6 * 50)
    y, *_ = ops.group_norm(rows, np.ones(300, np.float32), np.zeros(300, np.float32), 1, 0.0)
    wide = rows.astype(np.float64)
    expected = (wide - wide.mean(1, keepdims=True)) / wide.std(1, keepdims=True)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_bits_do_not_depend_on_threads():
    x = np.random.default_rng(0).standard_normal((9, 61, 63, 6)).astype(np.float32)
    gamma, beta = _scales(6)
    found, before = [], cpu.get_num_threads()
    try:
        for threads in {1, min(2, before)}:
            cpu.set_num_threads(threads)
            results = ops.unit_norm(x, 1e-6)
            results += (ops.unit_norm_backward(x, *results, 1e-6),)
            for array, groups in ((x, 3), (x.reshape(-1, 6), 1)):
                made = ops.group_norm(array, gamma, beta, groups, 1e-3)
                results += made + ops.group_norm_backward(array, array, gamma, *made[1:])
            found.append(b"".join(array.tobytes() for array in results))
    finally:
        cpu.set_num_threads(before)
    assert len(set(found)) == 1


def test_nan_stays_in_its_group():
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    x[1, 2, 1] = math.nan
    y, *_ = ops.group_norm(x, *_scales(4), 2, 1e-3)
    assert np.isnan(y).all(1).tolist() == [[False] * 4, [True, True, False, False]]
    y, _ = ops.unit_norm(x, 1e-3)
    assert np.isnan(y).all(2).tolist() == [[False] * 3, [False, False, True]]


def test_a_row_of_zeros_stays_one():
    y, _ = ops.unit_norm(np.zeros((2, 3), np.float32), 1e-12)
    np.testing.assert_array_equal(y, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.group_norm(x, x[0], x[0], 2, 0.1), ValueError, "Received: 3 channels, groups 2"),
        (lambda x: ops.group_norm(x, x[0], x[0], 0, 0.1), ValueError, "groups must be .* at least 1. Received: 0"),
        (lambda x: ops.group_norm(x[0], x[0], x[0], 1, 0.1), ValueError, r"samples \(N, ..., C\), .*: x \(3,\)"),
        (lambda x: ops.group_norm(x, x[0], x[0], 1, -1), ValueError, "epsilon .* of at least 0. Received: -1"),
        (lambda x: ops.group_norm(x, x, x[0], 1, 1), ValueError, r"gamma must have shape \(3,\)"),
        (lambda x: ops.group_norm_backward(x, x, x[0], x, x[:1]), ValueError, r"deviation must have shape \(2, 3\)"),
        (lambda x: ops.unit_norm(x, 0), ValueError, "epsilon .* of at least 1e-30. Received: 0"),
        (lambda x: ops.unit_norm_backward(x, x, x[0], 1), ValueError, r"inverse_norm must have shape \(2,\)"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))
