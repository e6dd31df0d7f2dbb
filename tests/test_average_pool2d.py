"""Average pooling, and pooling over whole images: finite differences -> reference -> CPU; NaN, ties, bad input."""

import numpy as np
import pytest
from cases import DTYPES, assert_close, pool_cases
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops, shapes
from numba_cnn.backends import reference


def _loops(x, g):
    """y, window by window."""
    y = np.empty(g.y)
    for n, oh, ow, c in np.ndindex(*g.y):
        top, left = oh * g.SH - g.top, ow * g.SW - g.left
        rows, columns = slice(max(top, 0), top + g.PH), slice(max(left, 0), left + g.PW)
        y[n, oh, ow, c] = x[n, rows, columns, c].mean()
    return y


@given(pool_cases())
@settings(max_examples=30)
def test_reference_equals_the_plain_loops_and_finite_differences(case):
    shape, arguments, seed = case
    g, rng = shapes.average_pool2d(shape, **arguments), np.random.default_rng(seed)
    x, dy = rng.standard_normal(shape), rng.standard_normal(g.y)
    y, dx = np.empty(g.y), np.empty(g.x)
    reference.average_pool2d(x, g, y)
    np.testing.assert_allclose(y, _loops(x, g), atol=1e-12)
    reference.average_pool2d_backward(dy, g, dx)

    def function(x):
        y = np.empty(g.y)
        reference.average_pool2d(x, g, y)
        return y

    assert_gradient(function, [x], [dx], dy, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=pool_cases())
@settings(max_examples=80)
def test_equals_reference(dtype, case):
    shape, arguments, seed = case
    g, rng = shapes.average_pool2d(shape, **arguments), np.random.default_rng(seed)
    x, dy = (rng.standard_normal(s).astype(dtype) for s in (shape, g.y))
    x[rng.random(shape) < 0.02] = np.nan
    y, dx = np.empty(g.y), np.empty(g.x)
    reference.average_pool2d(x.astype(np.float64), g, y)
    reference.average_pool2d_backward(dy.astype(np.float64), g, dx)
    assert_close(ops.average_pool2d(x, **arguments), y, g.PH * g.PW, size=1)
    assert_close(ops.average_pool2d_backward(dy, shape, **arguments), dx, g.PH * g.PW)


images = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 140))


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=images, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_whole_images(dtype, shape, seed):
    rng, (N, H, W, C) = np.random.default_rng(seed), shape
    x = rng.integers(-9, 10, shape).astype(dtype)
    x[rng.random(shape) < 0.01] = np.nan
    dy, flat = rng.standard_normal((N, C)).astype(dtype), x.reshape(N, H * W, C)
    assert_close(ops.global_average_pool2d(x), flat.astype(np.float64).mean(1), H * W, size=9)
    expected = np.broadcast_to(dy[:, None, None] / dtype(H * W), shape)
    np.testing.assert_array_equal(ops.global_average_pool2d_backward(dy, shape), expected)
    y, argmax = ops.global_max_pool2d(x)
    assert argmax.dtype == np.int32
    np.testing.assert_array_equal(argmax, flat.argmax(1))
    np.testing.assert_array_equal(y, flat.max(1))
    expected = np.empty(flat.shape, dtype)
    reference.global_max_pool2d_backward(dy, argmax, expected)
    dx = ops.global_max_pool2d_backward(dy, argmax, shape)
    np.testing.assert_array_equal(dx, expected.reshape(shape))


def test_whole_images_against_finite_differences():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 5))
    dx = ops.global_average_pool2d_backward(dy, x.shape)
    assert_gradient(ops.global_average_pool2d, [x], [dx], dy, rng)
    dx = ops.global_max_pool2d_backward(dy, ops.global_max_pool2d(x)[1], x.shape)
    assert_gradient(lambda x: ops.global_max_pool2d(x)[0], [x], [dx], dy, rng)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.average_pool2d(x, 9), ValueError, "average_pool2d: a window of 9x9 does not fit"),
        (lambda x: ops.average_pool2d(x, 2, padding=2), ValueError, "average_pool2d: padding must be smaller"),
        (lambda x: ops.average_pool2d_backward(x, x.shape), ValueError, "dy must have shape"),
        (lambda x: ops.global_max_pool2d(x[0]), ValueError, r"x must have 4 axes \(N, H, W, C\)"),
        (lambda x: ops.global_average_pool2d_backward(x, x.shape), ValueError, r"dy must have shape \(2, 3\)"),
        (lambda x: ops.global_max_pool2d_backward(x[:, 0, 0], x[:, 0, 0], x.shape), TypeError, "argmax must be int32"),
        (lambda x: ops.global_average_pool2d(x.astype(int)), TypeError, "Received: x int64"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 4, 6, 3), np.float32))
