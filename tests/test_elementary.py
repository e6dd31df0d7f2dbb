"""exp, log, tanh and their kin of compiled code: every 997th float32 against NumPy's float64, to 2 ulp."""

import math

import numpy as np
import pytest
from numba import njit

from numba_cnn.backends.cpu.codegen import elementary

FUNCTIONS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x))),
    "erf": np.vectorize(math.erf, [np.float64]),
}


def compiled(name):
    function = getattr(elementary, name)

    @njit(fastmath={"contract"}, error_model="numpy")
    def run(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    def call(x):
        y = np.empty_like(x)
        run(x, y)
        return y

    return call


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_997th_float(name):
    x = np.arange(0, 2**32, 997).astype(np.uint32).view(np.float32)
    if name == "log1p":
        x = x[~((x < 0) | (x > 1))]
    y = compiled(name)(x)
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name](x.astype(np.float64))
        nearest = exact.astype(np.float32)
        ulp = np.spacing(np.abs(nearest)).astype(np.float64)
        error = np.abs(y - exact) / ulp
    np.testing.assert_array_equal(np.isnan(y), np.isnan(nearest))
    fine = np.isfinite(nearest) & np.isfinite(y)
    assert error[fine].max() <= 2
    # Where one of the two is infinite both are, but for numbers next to the largest.
    edge = ~fine & ~np.isnan(y) & (y != nearest)
    assert (np.abs(exact[edge]) > 0.9999 * np.finfo(np.float32).max).all()
    zero = (x == 0) & (nearest == 0)
    np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(nearest[zero]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_has_its_own_digits(name):
    x = np.linspace(0.01 if name in ("log", "log1p") else -5, 5, 1001)
    np.testing.assert_allclose(compiled(name)(x), FUNCTIONS[name](x), rtol=1e-14)
