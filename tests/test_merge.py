"""Two arrays made one: NumPy -> CPU, finite differences; arrays side by side; what does not go together."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops, shapes
from numba_cnn.backends import reference

NAMES = ["add", "subtract", "multiply", "maximum", "minimum"]


@st.composite
def pairs(draw):
    """Shapes of a and b: each axis shared, or repeated by one of them."""
    a, b = [], []
    for _ in range(draw(st.integers(0, 4))):
        extent, kind = draw(st.integers(1, 9)), draw(st.sampled_from("==ab"))
        a.append(1 if kind == "a" else extent)
        b.append(1 if kind == "b" else extent)
    return tuple(a), tuple(b)


def _backward(name, dy, a, b):
    if name in ("add", "subtract"):
        return getattr(ops, f"{name}_backward")(dy, a.shape, b.shape)
    return getattr(ops, f"{name}_backward")(dy, a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
@given(pair=pairs(), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_equals_numpy_and_reference(name, dtype, pair, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-3, 4, shape).astype(dtype) for shape in pair)  # ties
    a[rng.random(a.shape) < 0.05] = np.nan
    y = getattr(ops, name)(a, b)
    np.testing.assert_array_equal(y, getattr(np, name)(a, b))
    a = np.asarray(np.nan_to_num(a))
    dy = np.asarray(rng.standard_normal(y.shape), dtype)
    gradients = zip(_backward(name, dy, a, b), _expected(name, dy, a, b), strict=True)
    for got, expected in gradients:
        assert_close(got, expected, 4 * dy.size, size=3)


def _expected(name, dy, a, b):
    """The gradients of a and b as the reference has them, in float64."""
    _, g = shapes.broadcast(name, a.shape, b.shape)
    wide, da, db = dy.astype(np.float64).reshape(g.y), np.empty(g.a), np.empty(g.b)
    if name in ("add", "subtract"):
        reference.sum_to(wide, 1.0, g, da)
        reference.sum_to(wide, -1.0 if name == "subtract" else 1.0, g.swapped(), db)
    else:
        first, second = a.astype(np.float64).reshape(g.a), b.astype(np.float64).reshape(g.b)
        reference.merge_backward(wide, first, second, name, g, da, db)
    return da.reshape(a.shape), db.reshape(b.shape)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 4, 7), (4, 1, 7)])
def test_long_sums_are_those_of_their_chunks(shape, name):
    """More than a chunk; of integers, which add up to the same in any order."""
    rng = np.random.default_rng(0)
    extents = (9001, 4, 7) if shape[0] == 1 else (4, 9001, 7)
    a, b, dy = (rng.integers(-3, 4, s).astype(np.float32) for s in (shape, extents, extents))
    gradients = zip(_backward(name, dy, a, b), _expected(name, dy, a, b), strict=True)
    for got, expected in gradients:
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(37, 1, 5), (1, 1, 5), (1, 270, 5), (37, 270, 1)])
def test_a_row_for_many_rows(shape, name):
    """More rows than are made at a time, in shares that begin in the middle of those."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s, np.float32) for s in ((37, 270, 5), shape))
    for first, second in ((a, b), (b, a)):
        y = getattr(ops, name)(first, second)
        np.testing.assert_array_equal(y, getattr(np, name)(first, second))


@pytest.mark.parametrize("name", NAMES)
def test_against_finite_differences(name):
    rng = np.random.default_rng(0)
    a, b, dy = (
        rng.standard_normal((2, 3, 4, 5)),
        rng.standard_normal((2, 1, 1, 5)),
        rng.standard_normal((2, 3, 4, 5)),
    )
    assert_gradient(getattr(ops, name), [a, b], _backward(name, dy, a, b), dy, rng)
    assert_gradient(getattr(ops, name), [b, a], _backward(name, dy, b, a), dy, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.lists(st.integers(1, 6), min_size=1, max_size=4), data=st.data())
@settings(max_examples=40)
def test_side_by_side(dtype, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    rng, arrays = np.random.default_rng(0), []
    for size in sizes:
        part = list(shape)
        part[axis] = size
        arrays.append(rng.standard_normal(part).astype(dtype))
    y = ops.concatenate(arrays, axis)
    np.testing.assert_array_equal(y, np.concatenate(arrays, axis))
    for part, array in zip(ops.split(y, sizes, axis), arrays, strict=True):
        np.testing.assert_array_equal(part, array)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.add(x, x[:1, :2]), ValueError, r"same extent or 1. Received: a \(2, 3\), b \(1, 2\)"),
        (lambda x: ops.add(x, x[0]), ValueError, "as many axes"),
        (lambda x: ops.add(x, x[:0]), ValueError, "Received: a"),
        (lambda x: ops.add(x, 1), TypeError, "Received: a a NumPy array .*, b int"),
        (lambda x: ops.multiply(x, x.astype("f")), TypeError, "a float64, b float32"),
        (lambda x: ops.multiply_backward(x[:1], x, x), ValueError, "dy must have shape"),
        (lambda x: ops.add_backward(x, (2, 3), 3), ValueError, "b_shape must be a tuple of integers"),
        (lambda x: ops.concatenate([]), ValueError, "sequence of at least one array"),
        (lambda x: ops.concatenate([x, x[:1]]), ValueError, r"arrays\[1\] \(1, 3\), axis -1"),
        (lambda x: ops.concatenate([x, x], 2), ValueError, "axis must be an integer from -2 to 1. Received: 2"),
        (lambda x: ops.split(x, (1, 1)), ValueError, "sizes must add up to the extent 3 of axis 1"),
        (lambda x: ops.split(x, 3), ValueError, "sizes must be a tuple of integers"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))
