"""dense on the CPU: a 1x1 convolution of one image that has the batch as its pixels."""

import numpy as np

from numba_cnn.backends.cpu.correlate import correlate
from numba_cnn.backends.cpu.correlate_weight import correlate_weight
from numba_cnn.backends.cpu.panels import Axis, pack
from numba_cnn.backends.cpu.strips import NO_PLACES, source
from numba_cnn.backends.cpu.tile import VECTORS
from numba_cnn.backends.cpu.vector import lanes

_WINDOW = 1, 1, 1, 1, 1, 1, 0, 0
_ONE = Axis(1, 0)


def dense(x, weight, bias, relu, y):
    (N, K), F = x.shape, y.shape[1]
    if F % lanes(x.dtype) == 0:
        panels, b_row, b_panel = weight, F, VECTORS * lanes(x.dtype)
    else:
        panels = pack(weight, 0, (_ONE, _ONE), Axis(K, F), Axis(F, 1), _ONE)
        b_row, b_panel = 0, panels.shape[1]
    bias = np.zeros(F, x.dtype) if bias is None else bias
    output = 1, N, 0, N * F, N * F, F
    correlate(
        source(x), (1, 1, N, K), _WINDOW, panels, (1, K, F, b_row, b_panel), bias, output, relu, y,
        NO_PLACES,
    )  # fmt: skip


def dense_backward_input(dy, y, weight, dx):
    (N, F), K = dy.shape, dx.shape[1]
    panels = pack(weight, 0, (_ONE, _ONE), Axis(F, 1), Axis(K, F), _ONE)
    output = 1, N, 0, N * K, N * K, K
    filters = 1, F, K, 0, panels.shape[1]
    correlate(
        source(dy, y), (1, 1, N, F), _WINDOW, panels, filters, np.zeros(K, dy.dtype), output, False, dx,
        NO_PLACES,
    )  # fmt: skip


def dense_backward_weight(dy, y, x, dweight, dbias):
    N, K = x.shape
    correlate_weight(source(x), (1, 1, N, K), _WINDOW, source(dy, y), 1, (1, N), dweight, dbias)
