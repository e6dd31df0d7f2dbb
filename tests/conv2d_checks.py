"""Drawn convolutions: their arrays, what the reference makes of them, and ops beside it."""

import numpy as np
from cases import Conv2DCase, assert_close

from numba_cnn import ops
from numba_cnn.backends import reference


def drawn(case, dtype):
    rng = np.random.default_rng(case.seed)
    g = case.geometry
    draw = [rng.standard_normal(shape) for shape in (g.x, g.weight, (g.F,), g.y)]
    return [array.astype(dtype) for array in draw]


def reference_passes(case, x, weight, bias, dy):
    """y, dx, dweight, dbias in float64."""
    x, weight, bias, dy = (array.astype(np.float64) for array in (x, weight, bias, dy))
    g = case.geometry
    y, dx, dweight, dbias = np.empty(g.y), np.empty(g.x), np.empty(g.weight), np.empty(g.F)
    reference.conv2d(x, weight, bias, g, case.relu, "auto", y)
    gate = y if case.relu else None
    reference.conv2d_backward_input(dy, gate, weight, g, "auto", dx)
    reference.conv2d_backward_weight(dy, gate, x, g, "auto", dweight, dbias)
    return y, dx, dweight, dbias


def check_passes(case, dtype, algorithm, looser=1):
    x, weight, bias, dy = drawn(case, dtype)
    activation = "relu" if case.relu else None
    y = ops.conv2d(x, weight, bias, activation=activation, algorithm=algorithm, **case.arguments)
    expected, *_ = reference_passes(case, x, weight, bias, dy)
    assert_close(y, expected, looser * case.terms, case.terms**0.5)
    # The gradients are gated by the y that was computed: where rounding decides a sign, both see the same one.
    gate = {"activation": activation, "y": y} if case.relu else {}
    actual = ops.conv2d_backward(dy, x, weight, algorithm=algorithm, **gate, **case.arguments)
    gated = (np.where(y > 0, dy, 0) if case.relu else dy).astype(np.float64)
    plain = Conv2DCase(case.x_shape, case.weight_shape, case.arguments, False, case.seed)
    _, *gradients = reference_passes(plain, x, weight, bias, gated)
    g = case.geometry
    terms = g.KH * g.KW * g.F, g.N * g.OH * g.OW, g.N * g.OH * g.OW
    for array, expected, count in zip(actual, gradients, terms, strict=True):
        assert array.dtype == dtype
        assert_close(array, expected, looser * count, count**0.5)
