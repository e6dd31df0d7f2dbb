"""Activations: finite differences -> reference -> CPU, Keras's own formulas, NaN, infinities, signed zeros."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import activations, ops
from numba_cnn.backends import reference, scalars
from numba_cnn.ops import arguments

OTHER = {
    "celu": {"alpha": 0.7},
    "elu": {"alpha": 1.7},
    "gelu": {"approximate": True},
    "hard_shrink": {"threshold": 0.2},
    "leaky_relu": {"negative_slope": 0.01},
    "relu": {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.3},
    "soft_shrink": {"threshold": 1.1},
    "squareplus": {"b": 0.5},
}
CASES = [(name, {}) for name in scalars.SETTINGS] + list(OTHER.items())
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e-30, 60.0, -60.0]


def kernels(name, given):
    """The name of the kernels, and their constants."""
    return arguments.activation("a test", name, given)


def expected(x, dy, name, given):
    """y and dx of the reference in float64, from the y that float32 has where the gradient comes from that."""
    y, dx = np.empty(x.shape), np.empty(x.shape)
    reference.activate(x.astype(np.float64), *kernels(name, given), y)
    saved = x if name in scalars.OF_INPUT else y.astype(x.dtype)
    reference.activate_backward(
        dy.astype(np.float64), saved.astype(np.float64), *kernels(name, given), dx
    )
    return y, dx, saved


@pytest.mark.parametrize(("name", "given"), CASES, ids=str)
def test_reference_against_finite_differences(name, given):
    rng = np.random.default_rng(0)
    x = rng.uniform(-4, 4, 200)
    for kink in (-3, -1, -1.1, -0.5, -0.2, 0, 0.2, 0.3, 0.5, 1, 1.1, 1.5, 3, 6):
        x = x[np.abs(x - kink) > 1e-3]
    dy = rng.standard_normal(x.shape)
    _, dx, _ = expected(x, dy, name, given)

    def function(x):
        y = np.empty(x.shape)
        reference.activate(x, *kernels(name, given), y)
        return y

    assert_gradient(function, [x], [dx], dy, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "given"), CASES, ids=str)
def test_equals_reference(name, given, dtype):
    rng = np.random.default_rng(1)
    x = (5 * rng.standard_normal((7, 131))).astype(dtype)
    dy = rng.standard_normal(x.shape).astype(dtype)
    y, dx, saved = expected(x, dy, name, given)
    got = ops.activate(x, name, **given)
    assert got.dtype == dtype
    assert_close(got, y, 4)
    assert_close(ops.activate_backward(dy, saved, name, **given), dx, 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "given"), CASES, ids=str)
def test_special_values(name, given, dtype):
    x = np.array(SPECIAL, dtype)
    y, dx, saved = expected(x, np.ones_like(x), name, given)
    for got, want in (
        (ops.activate(x, name, **given), y),
        (ops.activate_backward(np.ones_like(x), saved, name, **given), dx),
    ):
        with np.errstate(all="ignore"):
            want = want.astype(dtype)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
        zero = (want == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))
    assert np.isnan(ops.activate(x[:1], name, **given)).all()


@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 5), (50_003,)])
def test_any_shape(shape):
    x = np.asarray(np.random.default_rng(2).standard_normal(shape), np.float32)
    np.testing.assert_allclose(ops.activate(x, "tanh"), np.tanh(x), rtol=1e-6)


rows = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=rows, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_softmax_of_rows_equals_reference(dtype, shape, seed):
    rng = np.random.default_rng(seed)
    x, dy = (3 * rng.standard_normal(shape) for _ in range(2))
    x, dy = x.astype(dtype), dy.astype(dtype)
    for name in ("softmax", "log_softmax"):
        wide, y, dx = x.astype(np.float64), np.empty(shape), np.empty(shape)
        getattr(reference, name)(wide, y)
        getattr(reference, f"{name}_backward")(dy.astype(np.float64), y, dx)
        got = getattr(ops, name)(x)
        assert got.shape == shape
        assert_close(got, y, 10 * shape[-1])
        gradient = getattr(ops, f"{name}_backward")(dy, y.astype(dtype))
        assert_close(gradient, dx, 10 * shape[-1], size=np.abs(dy).max())


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_against_finite_differences(name):
    rng = np.random.default_rng(3)
    x, dy = rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 3, 5))
    function = getattr(ops, name)
    dx = getattr(ops, f"{name}_backward")(dy, function(x))
    assert_gradient(function, [x], [dx], dy, rng)


def test_log_softmax_does_not_underflow():
    x = np.array([[0, -500.0, 3e38]], np.float32)
    np.testing.assert_allclose(ops.log_softmax(x), [[-3e38, -3e38, 0]], rtol=1e-6)
    assert np.isnan(ops.log_softmax(np.array([0.0, np.nan]))).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.activate(x, "rleu"), ValueError, "name must be one of affine, celu, .*'relu'.*Received: 'rleu'"),
        (lambda x: ops.activate(x, None), ValueError, "name must be one of .* Received: None"),
        (lambda x: ops.activate(x, "elu", beta=1), TypeError, "no argument 'beta'.*Allowed: alpha"),
        (lambda x: ops.activate(x, "tanh", alpha=1), TypeError, "Allowed: none"),
        (lambda x: ops.activate(x, "elu", alpha="a"), ValueError, "alpha must be a finite number. Received: 'a'"),
        (lambda x: ops.activate(x, "elu", alpha=True), ValueError, "alpha must be a finite number. Received: True"),
        (lambda x: ops.activate(x, "elu", alpha=np.nan), ValueError, "alpha must be a finite number"),
        (lambda x: ops.activate(x.astype(int), "elu"), TypeError, "Received: x int64"),
        (lambda x: ops.activate_backward(x, x[:1], "elu"), ValueError, "dy must have shape"),
        (lambda x: ops.softmax(np.ones(())), ValueError, r"x must have at least one axis.*Received: \(\)"),
        (lambda x: ops.softmax(x[:0]), ValueError, r"no empty one. Received: \(0, 3\)"),
        (lambda x: ops.softmax_backward(x, x[:1]), ValueError, "dy must have shape"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))


def test_functions_of_other_libraries_are_known_by_their_names():
    def made(name):
        def function(x):
            return x

        function.__name__ = name
        return function

    for name in ("softmax", "log_softmax", "relu"):
        for theirs in (name, f"{name}_v2"):  # as TensorFlow names tf.nn.softmax
            assert activations.get(made(theirs)) == activations.get(name)
    for unknown in ("softmax_v2", made("softmax_v3"), made("crelu_v2"), lambda x: x, made("")):
        with pytest.raises(ValueError, match="activation: expected None or one of"):
            activations.get(unknown)
