"""Batch normalization: finite differences -> reference -> CPU; large means, threads, NaN, what Keras gives."""

import os
import subprocess
import sys

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from numba_cnn import ops
from numba_cnn.backends import cpu, reference

ragged = st.lists(st.integers(1, 21), min_size=1, max_size=4).map(tuple)


def _arrays(shape, dtype, seed=0):
    """x, gamma, beta, moving mean, moving variance."""
    rng, C = np.random.default_rng(seed), shape[-1]
    arrays = rng.standard_normal(shape), *rng.standard_normal((3, C)), rng.uniform(0.1, 2, C)
    return [np.asarray(array, dtype) for array in arrays]


def _reference(name, arrays, numbers, outputs):
    """What the reference gives in float64; x and its like as rows."""
    C = arrays[1].shape[-1]
    wide = [a.astype(np.float64).reshape((-1, C) if a.ndim != 1 else a.shape) for a in arrays]
    made = [np.empty(shape) for shape in outputs]
    getattr(reference, name)(*wide, *numbers, *made)
    return wide, made


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=ragged, seed=st.integers(0, 99))
@example(shape=(6, 23, 31, 5), seed=1)
@example(shape=(40, 1100), seed=2)
@settings(max_examples=40)
def test_equals_reference(dtype, shape, seed):
    shape = shape if len(shape) > 1 else (1, *shape)
    (x, gamma, beta, *moving), C = _arrays(shape, dtype, seed), shape[-1]
    dy = np.random.default_rng(seed + 1).standard_normal(shape).astype(dtype)
    rows = (x.size // C, C)
    wide, (y, mean, inverse) = _reference(
        "batch_norm", (x, gamma, beta, *moving), (0.9, 1e-2), (rows, (C,), (C,))
    )
    got = ops.batch_norm(x, gamma, beta, *moving, 0.9, 1e-2)
    terms = 4 * rows[0]
    for actual, expected in zip(
        (*got, *moving), (y.reshape(shape), mean, inverse, *wide[3:]), strict=True
    ):
        assert_close(actual, expected, terms, size=1)
    given = (dy, x, gamma, mean.astype(dtype), inverse.astype(dtype))
    _, made = _reference("batch_norm_backward", given, (), (rows, (C,), (C,)))
    for actual, expected in zip(ops.batch_norm_backward(*given), made, strict=True):
        assert_close(actual, expected.reshape(actual.shape), terms, size=20)
    given = (x, gamma, beta, *moving)
    _, (y,) = _reference("batch_norm_inference", given, (1e-3,), (rows,))
    assert_close(ops.batch_norm_inference(*given, 1e-3), y.reshape(shape), 9, size=1)
    given = (dy, x, gamma, *moving)
    _, made = _reference("batch_norm_inference_backward", given, (1e-3,), (rows, (C,), (C,)))
    for actual, expected in zip(ops.batch_norm_inference_backward(*given, 1e-3), made, strict=True):
        assert_close(actual, expected.reshape(actual.shape), terms, size=1)


def test_against_finite_differences():
    (x, gamma, beta, mean, variance), rng = _arrays((3, 4, 5), np.float64), np.random.default_rng(1)
    dy = rng.standard_normal(x.shape)

    def train(x, gamma, beta):
        return ops.batch_norm(x, gamma, beta, mean.copy(), variance.copy(), 0.9, 1e-3)

    _, batch_mean, inverse = train(x, gamma, beta)
    gradients = ops.batch_norm_backward(dy, x, gamma, batch_mean, inverse)
    assert_gradient(lambda *a: train(*a)[0], [x, gamma, beta], gradients, dy, rng)
    gradients = ops.batch_norm_inference_backward(dy, x, gamma, mean, variance, 1e-3)
    assert_gradient(
        lambda *a: ops.batch_norm_inference(*a, mean, variance, 1e-3),
        [x, gamma, beta],
        gradients,
        dy,
        rng,
    )


def test_a_mean_a_thousand_times_the_deviation():
    x = (1000 + np.random.default_rng(0).standard_normal((64, 50, 50, 3))).astype(np.float32)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    y, mean, inverse = ops.batch_norm(x, ones, zeros, zeros.copy(), ones.copy(), 0.0, 0.0)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean((0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(inverse, 1 / wide.std((0, 1, 2)), rtol=2e-6)
    expected = (wide - wide.mean((0, 1, 2))) / wide.std((0, 1, 2))
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_rows_of_the_sample_that_are_unlike_all_others():
    """The worst centre: only rows that the sample has are far away, and the first is farther still."""
    x = np.random.default_rng(0).standard_normal((64 * 2500, 3)).astype(np.float32)
    x[::32] = 1e4
    x[0] = -1e6
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    _, mean, inverse = ops.batch_norm(x, ones, zeros, zeros.copy(), ones.copy(), 0.0, 0.0)
    wide = x.astype(np.float64)
    assert (np.abs(mean - wide.mean(0)) < 1e-5 * wide.std(0)).all()
    np.testing.assert_allclose(inverse, 1 / wide.std(0), rtol=5e-5)


def test_bits_do_not_depend_on_threads():
    x, gamma, beta, mean, variance = _arrays((9, 61, 63, 5), np.float32)
    found, before = [], cpu.get_num_threads()
    try:
        for threads in {1, min(2, before)}:
            cpu.set_num_threads(threads)
            results = ops.batch_norm(x, gamma, beta, mean.copy(), variance.copy(), 0.9, 1e-3)
            results += ops.batch_norm_backward(x, x, gamma, *results[1:])
            found.append(b"".join(array.tobytes() for array in results))
    finally:
        cpu.set_num_threads(before)
    assert len(set(found)) == 1


def test_nan_stays_in_its_channel():
    x, gamma, beta, mean, variance = _arrays((4, 6, 3), np.float32)
    x[1, 2, 1] = np.nan
    y, batch_mean, _ = ops.batch_norm(x, gamma, beta, mean, variance, 0.9, 1e-3)
    for array in (y.reshape(-1, 3), batch_mean[None], mean[None], variance[None]):
        assert np.isnan(array).all(0).tolist() == [False, True, False]


def test_keras_gives_the_same(tmp_path):
    x, gamma, beta, mean, variance = _arrays((4, 5, 6, 3), np.float32)
    np.savez(tmp_path / "in.npz", x=x, gamma=gamma, beta=beta, mean=mean, variance=variance)
    code = (
        "import keras, numpy as np; a = np.load('in.npz'); layer = keras.layers.BatchNormalization(momentum=0.8)\n"
        "layer.build(a['x'].shape); layer.set_weights([a[k] for k in ('gamma', 'beta', 'mean', 'variance')])\n"
        "still = np.asarray(layer(a['x'])); y = np.asarray(layer(a['x'], training=True)); w = layer.get_weights()\n"
        "np.savez('out.npz', still=still, y=y, mean=w[2], variance=w[3])"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    with np.load(tmp_path / "out.npz") as keras:
        still = ops.batch_norm_inference(x, gamma, beta, mean, variance, 1e-3)
        y, _, _ = ops.batch_norm(x, gamma, beta, mean, variance, 0.8, 1e-3)
        for name, array in (("still", still), ("y", y), ("mean", mean), ("variance", variance)):
            np.testing.assert_allclose(array, keras[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, v: ops.batch_norm(x, v[:2], v, v, v, 0.9, 1e-3), ValueError, r"gamma must have shape \(3,\)"),
        (lambda x, v: ops.batch_norm(x, v, v, v.astype("f"), v, 0.9, 1e-3), TypeError, "moving_mean float32"),
        (lambda x, v: ops.batch_norm(x, v, v, v, v, 1.5, 1e-3), ValueError, "momentum .* at most 1. Received: 1.5"),
        (lambda x, v: ops.batch_norm(x, v, v, v, v, 0.9, -1.0), ValueError, "epsilon .* of at least 0. Received: -1.0"),
        (lambda x, v: ops.batch_norm(x, v, v, v[::-1], v, 0.9, 1e-3), ValueError, "moving_mean must be C-contiguous"),
        (lambda x, v: ops.batch_norm(x[:0], v, v, v, v, 0.9, 1e-3), ValueError, r"no empty one. Received: \(0, 3\)"),
        (lambda x, v: ops.batch_norm_backward(x[:1], x, v, v, v), ValueError, "dy must have shape"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)), np.ones(3))
