"""Axes that change places, products of rows, PReLU: NumPy -> CPU, finite differences; what does not go together."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops, shapes
from numba_cnn.backends import cpu, reference


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=60)
def test_axes_lie_as_in_numpy(dtype, data):
    shape = data.draw(st.lists(st.integers(1, 5), min_size=0, max_size=6))
    axes = data.draw(st.permutations(range(len(shape))))
    x = np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    np.testing.assert_array_equal(ops.permute(x, axes), x.transpose(axes))
    g = shapes.permutation("permute", shape, axes)[1]
    y = np.empty(g.y, dtype)
    reference.permute(x.reshape(-1), g, y)
    np.testing.assert_array_equal(y.reshape(x.transpose(axes).shape), x.transpose(axes))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", [(0, 2, 1), (2, 1, 0), (1, 2, 0)])
# Vectors and some elements more; cache lines; an array that goes past the caches; several tiles either way.
@pytest.mark.parametrize("shape", [(3, 37, 41), (41, 32, 48), (112, 96, 128), (2, 1030, 260)])
def test_blocks_lie_as_in_numpy(shape, axes, dtype):
    x = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    np.testing.assert_array_equal(ops.permute(x, axes), x.transpose(axes))


@pytest.mark.parametrize("dtype", DTYPES)
@given(extents=st.tuples(*[st.integers(1, 9)] * 4), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_products_equal_numpy(dtype, extents, seed):
    (N, I, J, K), rng = extents, np.random.default_rng(seed)
    a, b = (
        rng.standard_normal((N, I, K)).astype(dtype),
        rng.standard_normal((N, J, K)).astype(dtype),
    )
    dy = rng.standard_normal((N, I, J)).astype(dtype)
    wide_a, wide_b, wide_dy = (array.astype(np.float64) for array in (a, b, dy))
    assert_close(ops.batch_dot(a, b), wide_a @ wide_b.swapaxes(1, 2), K, size=1)
    da, db = ops.batch_dot_backward(dy, a, b)
    assert_close(da, wide_dy @ wide_b, J, size=1)
    assert_close(db, wide_dy.swapaxes(1, 2) @ wide_a, I, size=1)


def test_products_against_finite_differences():
    rng = np.random.default_rng(0)
    a, b, dy = (
        rng.standard_normal((2, 3, 5)),
        rng.standard_normal((2, 4, 5)),
        rng.standard_normal((2, 3, 4)),
    )
    assert_gradient(ops.batch_dot, [a, b], ops.batch_dot_backward(dy, a, b), dy, rng)


@pytest.mark.parametrize("alpha_shape", [(3, 4, 5, 2), (1, 4, 5, 2), (1, 1, 1, 2), (1, 1, 5, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_prelu_equals_its_formula(dtype, alpha_shape):
    rng = np.random.default_rng(0)
    x, alpha = (
        rng.standard_normal((3, 4, 5, 2)).astype(dtype),
        rng.standard_normal(alpha_shape).astype(dtype),
    )
    x[0, 1, 2, 0] = np.nan
    np.testing.assert_array_equal(ops.prelu(x, alpha), np.where(x > 0, x, alpha * x))
    dy = rng.standard_normal(x.shape).astype(dtype)
    dx, dalpha = ops.prelu_backward(dy, np.nan_to_num(x), alpha)
    slopes = np.where(x > 0, 1, np.where(x < 0, alpha, 0))
    np.testing.assert_allclose(dx, dy * slopes, rtol=1e-6)
    axes = tuple(i for i in range(4) if alpha_shape[i] == 1)
    expected = np.where(x < 0, dy * x, 0).astype(np.float64).sum(axes, keepdims=True)
    np.testing.assert_allclose(dalpha, expected, rtol=1e-5, atol=1e-5)


def test_prelu_against_finite_differences():
    rng = np.random.default_rng(0)
    x, alpha, dy = (
        rng.standard_normal((2, 3, 4)),
        rng.standard_normal((1, 1, 4)),
        rng.standard_normal((2, 3, 4)),
    )
    assert_gradient(ops.prelu, [x, alpha], ops.prelu_backward(dy, x, alpha), dy, rng)


def test_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5, 200, 300)).astype(np.float32)
    found, before = [], cpu.get_num_threads()
    try:
        for threads in {1, min(2, before)}:
            cpu.set_num_threads(threads)
            y = ops.batch_dot(a, b)
            results = y, *ops.batch_dot_backward(y, a, b), ops.permute(a, (2, 0, 1))
            results += (ops.prelu(a, b), *ops.prelu_backward(a, a, b[:, :1]))
            found.append(b"".join(array.tobytes() for array in results))
    finally:
        cpu.set_num_threads(before)
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.permute(x, (0, 0)), ValueError, r"each of the array's 2 axes once. Received: \(0, 0\)"),
        (lambda x: ops.permute(x[:0], (1, 0)), ValueError, "must not be empty"),
        (lambda x: ops.permute(np.ones((2,) * 7), (6, 5, 4, 3, 2, 1, 0)), ValueError, "at most 6 axes"),
        (lambda x: ops.batch_dot(x, x[None]), ValueError, r"a must have 3 axes \(N, I, K\). Received: \(2, 3\)"),
        (lambda x: ops.batch_dot(x[None], x[None, :, :2]), ValueError, "rows of one length"),
        (lambda x: ops.batch_dot_backward(x[None], x[None], x[None]), ValueError, "dy must have shape"),
        (lambda x: ops.prelu(x, x.astype("f")), TypeError, "x float64, alpha float32"),
        (lambda x: ops.prelu(x, x[:, :2]), ValueError, "same extent or 1"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))
