"""dense against NumPy in float64, whose matrix product is the specification."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from numba_cnn import ops

EXTENT = st.integers(1, 70)


def _arrays(N, K, F, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((N, K), (K, F), (F,), (N, F))]


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=EXTENT, K=EXTENT, F=EXTENT, relu=st.booleans())
@example(N=33, K=5000, F=48, relu=True)  # a reduction of several blocks, filters read in place
@example(N=1, K=4100, F=10, relu=False)
@example(N=1, K=1030, F=272, relu=True)  # one row of many outputs
@example(N=1, K=2100, F=64, relu=True)  # or of many weights
@example(N=5, K=300, F=2048, relu=True)  # whose rows share cache sets: short blocks
@example(N=3, K=40, F=2100, relu=True)  # an input gradient of several blocks
@settings(max_examples=80)
def test_equals_numpy(dtype, N, K, F, relu):
    x, weight, bias, dy = _arrays(N, K, F, dtype)
    y = ops.dense(x, weight, bias, activation="relu" if relu else None)
    wide = [a.astype(np.float64) for a in (x, weight, bias)]
    expected = wide[0] @ wide[1] + wide[2]
    assert_close(y, np.maximum(expected, 0) if relu else expected, K, K**0.5)
    gate = {"activation": "relu", "y": y} if relu else {}
    dz = np.where(y > 0, dy, 0).astype(np.float64) if relu else dy.astype(np.float64)
    dx, dweight, dbias = ops.dense_backward(dy, x, weight, **gate)
    assert_close(dx, dz @ wide[1].T, F, F**0.5)
    assert_close(dweight, wide[0].T @ dz, N, N**0.5)
    assert_close(dbias, dz.sum(0), N, N**0.5)


def test_against_finite_differences():
    x, weight, bias, dy = _arrays(3, 7, 5, np.float64)
    gradients = ops.dense_backward(dy, x, weight)
    assert_gradient(ops.dense, [x, weight, bias], gradients, dy, np.random.default_rng(1))


def test_without_bias_and_without_dx():
    x, weight, _, dy = _arrays(4, 6, 3, np.float64)
    np.testing.assert_allclose(ops.dense(x, weight), x @ weight, rtol=1e-12)
    dx, dweight, _ = ops.dense_backward(dy, x, weight, need_dx=False)
    assert dx is None
    np.testing.assert_allclose(dweight, x.T @ dy, rtol=1e-12)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 6), (5, 3), (3,)), "x has 6 features but weight expects 5"),
        (((4, 6, 1), (6, 3), (3,)), "x must have 2 axes"),
        (((0, 6), (6, 3), (3,)), "the batch is empty"),
        (((4, 6), (6, 3), (4,)), r"bias must have shape \(3,\)"),
    ],
)
def test_bad_input(shapes, message):
    with pytest.raises(ValueError, match=message):
        ops.dense(*(np.ones(shape, np.float32) for shape in shapes))
