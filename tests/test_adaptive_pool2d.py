"""Pooling to a size: plain loops -> reference -> CPU, finite differences; NaN, ties, bad input."""

import math

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops, shapes
from numba_cnn.backends import reference

extent = st.integers(1, 9)
cases = st.tuples(
    st.tuples(st.integers(1, 3), extent, extent, st.integers(1, 40)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.integers(0, 99),
)


def _loops(x, g, function):
    """y, window by window, by the formula of the docstring."""
    y = np.empty(g.y)
    for n, oh, ow, c in np.ndindex(*g.y):
        rows = slice(math.floor(oh * g.H / g.OH), math.ceil((oh + 1) * g.H / g.OH))
        columns = slice(math.floor(ow * g.W / g.OW), math.ceil((ow + 1) * g.W / g.OW))
        y[n, oh, ow, c] = function(x[n, rows, columns, c])
    return y


@given(cases)
@settings(max_examples=30)
def test_reference_equals_the_plain_loops_and_finite_differences(case):
    shape, size, seed = case
    g, rng = shapes.adaptive_pool2d("", shape, size), np.random.default_rng(seed)
    x, dy = rng.standard_normal(shape), rng.standard_normal(g.y)
    y, dx, argmax = np.empty(g.y), np.empty(g.x), np.empty(g.y, np.int32)
    reference.adaptive_average_pool2d(x, g, y)
    np.testing.assert_allclose(y, _loops(x, g, np.mean), atol=1e-12)
    reference.adaptive_average_pool2d_backward(dy, g, dx)
    assert_gradient(lambda x: _loops(x, g, np.mean), [x], [dx], dy, rng)
    reference.adaptive_max_pool2d(x, g, y, argmax)
    np.testing.assert_array_equal(y, _loops(x, g, np.max))
    reference.adaptive_max_pool2d_backward(dy, argmax, g, dx)
    assert_gradient(lambda x: _loops(x, g, np.max), [x], [dx], dy, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=cases)
@settings(max_examples=60)
def test_equals_reference(dtype, case):
    shape, size, seed = case
    g, rng = shapes.adaptive_pool2d("", shape, size), np.random.default_rng(seed)
    x, dy = rng.integers(-9, 10, shape).astype(dtype), rng.standard_normal(g.y).astype(dtype)
    x[rng.random(shape) < 0.02] = np.nan
    y, dx, argmax = np.empty(g.y), np.empty(g.x), np.empty(g.y, np.int32)
    reference.adaptive_average_pool2d(x.astype(np.float64), g, y)
    reference.adaptive_average_pool2d_backward(dy.astype(np.float64), g, dx)
    assert_close(ops.adaptive_average_pool2d(x, size), y, g.H * g.W, size=9)
    windows = -(-g.OH // g.H + 1) * -(-g.OW // g.W + 1)
    assert_close(ops.adaptive_average_pool2d_backward(dy, shape, size), dx, windows + 4)
    reference.adaptive_max_pool2d(x.astype(np.float64), g, y, argmax)
    largest, places = ops.adaptive_max_pool2d(x, size)
    np.testing.assert_array_equal(largest, y)
    np.testing.assert_array_equal(places, argmax)
    reference.adaptive_max_pool2d_backward(dy.astype(np.float64), argmax, g, dx)
    actual = ops.adaptive_max_pool2d_backward(dy, places, shape, size)
    assert_close(actual, dx, windows + 4)


def test_the_size_of_the_images_changes_nothing_and_one_is_the_whole_image():
    x = np.random.default_rng(0).standard_normal((2, 5, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(ops.adaptive_average_pool2d(x, (5, 7)), x)
    y, places = ops.adaptive_max_pool2d(x, 1)
    expected, argmax = ops.global_max_pool2d(x)
    np.testing.assert_array_equal(y[:, 0, 0], expected)
    np.testing.assert_array_equal(places[:, 0, 0], argmax)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.adaptive_average_pool2d(x, 0), ValueError, "adaptive_average_pool2d: output_size"),
        (lambda x: ops.adaptive_max_pool2d(x, (2, 3, 4)), ValueError, "adaptive_max_pool2d: output_size"),
        (lambda x: ops.adaptive_max_pool2d(x[0], 2), ValueError, r"x must have 4 axes \(N, H, W, C\)"),
        (lambda x: ops.adaptive_average_pool2d_backward(x, x.shape, 2), ValueError, "dy must have shape"),
        (
            lambda x: ops.adaptive_max_pool2d_backward(x, x, x.shape, (4, 6)), TypeError, "argmax must be int32",
        ),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 4, 6, 3), np.float32))
