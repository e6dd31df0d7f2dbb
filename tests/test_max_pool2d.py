"""max_pool2d: finite differences -> reference -> CPU; ties, NaN, windows that overlap or leave gaps."""

import numpy as np
import pytest
from cases import DTYPES, assert_close, pool_cases
from gradcheck import assert_gradient
from hypothesis import example, given, settings

from numba_cnn import ops, shapes
from numba_cnn.backends import cpu, reference
from numba_cnn.backends.cpu.microkernels.nontemporal import NONTEMPORAL_BYTES


def _loops(x, g):
    """y and argmax, window by window: the first maximum, and NaN above every number."""
    y, argmax = np.empty(g.y), np.empty(g.y, int)
    for n, oh, ow, c in np.ndindex(*g.y):
        best = None
        for kh, kw in np.ndindex(g.PH, g.PW):
            h, w = oh * g.SH + kh - g.top, ow * g.SW + kw - g.left
            if not (0 <= h < g.H and 0 <= w < g.W):
                continue
            value = x[n, h, w, c]
            better = best is None or value > best or (np.isnan(value) and not np.isnan(best))
            if better:
                best, argmax[n, oh, ow, c] = value, kh * g.PW + kw
        y[n, oh, ow, c] = best
    return y, argmax


def _numbers(shape, seed):
    """Few distinct values, so that ties abound, with NaN and -inf among them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype(np.float64)
    x[rng.random(shape) < 0.02] = np.nan
    x[rng.random(shape) < 0.1] = -np.inf
    return x


@given(pool_cases())
@settings(max_examples=60)
def test_reference_equals_the_plain_loops(case):
    shape, arguments, seed = case
    g = shapes.max_pool2d(shape, **arguments)
    x = _numbers(shape, seed)
    y, argmax = np.empty(g.y), np.empty(g.y, int)
    reference.max_pool2d(x, g, y, argmax)
    expected = _loops(x, g)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(argmax, expected[1])


@given(pool_cases())
@settings(max_examples=25)
def test_reference_against_finite_differences(case):
    shape, arguments, seed = case
    g = shapes.max_pool2d(shape, **arguments)
    rng = np.random.default_rng(seed)
    x = (
        rng.permutation(np.prod(shape)).reshape(shape).astype(np.float64)
    )  # no ties: they have no derivative
    y, argmax, dx = np.empty(g.y), np.empty(g.y, int), np.empty(g.x)
    reference.max_pool2d(x, g, y, argmax)
    dy = rng.standard_normal(g.y)
    reference.max_pool2d_backward(dy, argmax, g, dx)

    def function(x):
        y = np.empty(g.y)
        reference.max_pool2d(x, g, y, np.empty(g.y, int))
        return y

    assert_gradient(function, [x], [dx], dy, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=pool_cases())
@example(case=((2, 8, 9, 5), {"pool_size": (2, 3), "strides": 2, "padding": "valid"}, 3))
@example(case=((2, 9, 8, 5), {"pool_size": (3, 2), "strides": 2, "padding": "valid"}, 4))
@example(case=((2, 9, 9, 5), {"pool_size": 2, "strides": (2, 3), "padding": "valid"}, 5))
@example(case=((2, 9, 9, 5), {"pool_size": 2, "strides": (3, 2), "padding": "valid"}, 6))
@example(case=((1, 9, 9, 70), {"pool_size": 3, "strides": 2, "padding": "same"}, 1))
@example(
    case=((1, 20, 19, 5), {"pool_size": (17, 16), "strides": 2, "padding": "valid"}, 2)
)  # int32 places
@settings(max_examples=150)
def test_equals_reference(dtype, case):
    shape, arguments, seed = case
    g = shapes.max_pool2d(shape, **arguments)
    x = _numbers(shape, seed).astype(dtype)
    y, argmax = ops.max_pool2d(x, **arguments)
    expected, places = np.empty(g.y, dtype), np.empty(g.y, argmax.dtype)
    reference.max_pool2d(x, g, expected, places)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, places)
    dy = np.random.default_rng(seed).standard_normal(g.y).astype(dtype)
    dx = ops.max_pool2d_backward(dy, argmax, shape, **arguments)
    expected = np.empty(g.x)
    reference.max_pool2d_backward(dy.astype(np.float64), places, g, expected)
    assert_close(dx, expected, g.PH * g.PW)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shift", "channels"), [(0, 16), (1, 16), (0, 20)])
def test_outputs_too_large_for_caches(dtype, shift, channels):
    """They are written past the caches, if all their vectors are whole and aligned."""
    g = shapes.max_pool2d((8, 260, 259, channels), 2, None, "valid")
    x = _numbers(g.x, 0).astype(dtype)
    expected, places = np.empty(g.y, dtype), np.empty(g.y, np.uint8)
    y, argmax = cpu.empty((expected.size + 16,), dtype), np.empty_like(places)
    y = y[shift : shift + expected.size].reshape(g.y)
    cpu.max_pool2d(x, g, y, argmax)
    reference.max_pool2d(x, g, expected, places)
    assert y.nbytes > NONTEMPORAL_BYTES
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, places)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shift", [0, 1])
def test_gradients_too_large_for_caches(dtype, shift):
    """They are written past the caches, if they are aligned."""
    g = shapes.max_pool2d((8, 130, 129, 16), 2, None, "valid")
    rng = np.random.default_rng(0)
    dy = rng.standard_normal(g.y).astype(dtype)
    argmax = rng.integers(0, 4, g.y).astype(np.uint8)
    size = dy.size * 4 + 8 * 130 * 16  # and the last column, which no window reaches
    dx = cpu.empty((size + 16,), dtype)[shift : shift + size].reshape(g.x)
    expected = np.empty_like(dx)
    cpu.max_pool2d_backward(dy, argmax, g, dx)
    reference.max_pool2d_backward(dy, argmax, g, expected)
    assert dx.nbytes > NONTEMPORAL_BYTES
    np.testing.assert_array_equal(dx, expected)


def test_first_maximum_takes_the_gradient():
    x = np.ones((1, 2, 4, 1), np.float32)
    x[0, 1, 3] = x[0, 0, 3] = 7
    y, argmax = ops.max_pool2d(x)
    np.testing.assert_array_equal(argmax.ravel(), [0, 1])
    dx = ops.max_pool2d_backward(
        np.array([[[[2]], [[3]]]], np.float32).reshape(y.shape), argmax, x.shape
    )
    np.testing.assert_array_equal(dx[0, :, :, 0], [[2, 0, 0, 3], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, y, a: ops.max_pool2d(x.astype(np.int32)), TypeError, "Received: x int32"),
        (lambda x, y, a: ops.max_pool2d(x, 9), ValueError, "a window of 9x9 does not fit"),
        (
            lambda x, y, a: ops.max_pool2d_backward(y, a.astype(np.int64), x.shape),
            TypeError,
            "argmax must be uint8",
        ),
        (
            lambda x, y, a: ops.max_pool2d_backward(y, a[:, :1], x.shape),
            ValueError,
            "argmax must have shape",
        ),
        (lambda x, y, a: ops.max_pool2d_backward(x, a, x.shape), ValueError, "dy must have shape"),
        (
            lambda x, y, a: ops.max_pool2d_backward(y, a.tolist(), x.shape),
            TypeError,
            "expected NumPy",
        ),
    ],
)
def test_bad_input(call, error, message):
    x = np.ones((2, 4, 6, 3), np.float32)
    with pytest.raises(error, match=message):
        call(x, *ops.max_pool2d(x))
