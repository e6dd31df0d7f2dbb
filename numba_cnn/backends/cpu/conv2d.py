"""conv2d on the CPU: all three passes as correlations, direct or Winograd's.

The input gradient is the correlation of dy with the filters turned by 180 degrees; where the
forward pass strides, one correlation per phase of the stride, each with the taps that reach its
pixels.
"""

from numba_cnn import shapes
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution import (
    depthwise_small,
    depthwise_weight,
    direct,
    direct_small_f,
    direct_weight,
    direct_weight_rgb,
    winograd,
    winograd_nonfused,
    winograd_rgb,
)
from numba_cnn.backends.cpu.convolution.packing import Axis, pack
from numba_cnn.backends.cpu.convolution.phases import phase
from numba_cnn.backends.cpu.convolution.row_buffers import NO_PLACES, source
from numba_cnn.backends.cpu.max_pool2d import max_pool2d
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.runtime.launch_graph import recorded
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.zero_fill import zero_fill

FEW_PIXELS, FEW_WEIGHTS = 1024, 1 << 16  # for which filters are not packed
CHANNELS = 8  # from which on Winograd's transforms pay
COLOURED = 32  # filters of an image of three channels, likewise, where the output is not pooled
# Patches, likewise: of any layer, of one whose filters must be turned around first, of one whose transforms are shared.
PATCHES, MIN_PATCHES_TRANSPOSED, MIN_PATCHES_NONFUSED = 9, 16, 4


@recorded
@checked
def conv2d(x, weight, bias, g, relu, algorithm, y):
    forward(x, weight, bias, g, relu, algorithm, y, NO_PLACES)


@recorded
@checked
def conv2d_backward_input(dy, y, weight, g, algorithm, dx):
    backward_input(source(dy, y), weight, g, algorithm, dx)


@recorded
@checked
def conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias):
    backward_weight(source(dy, y), x, g, algorithm, dweight, dbias)


def forward(x, weight, bias, g, relu, algorithm, y, argmax):
    """conv2d, and its 2x2 max pooling where argmax has places for it."""
    bias = constant(0, g.F, x.dtype) if bias is None else bias
    coloured = g.F >= COLOURED and winograd_rgb.takes(g.C, g.F, x.dtype)
    colours = coloured and argmax.size == 0
    output = g.OH, g.OW
    patches_do = MIN_PATCHES_NONFUSED if winograd_nonfused.takes(g.x, output, g.F) else PATCHES
    channels_do = colours or _transforms_pay(g.C, g.F, g.OW, x.dtype)
    Cg, Fg = g.C // g.groups, g.F // g.groups
    taps = Axis(g.KH, g.KW * Cg * g.F), Axis(g.KW, Cg * g.F)
    filters = 0, taps, Axis(Cg, g.F), Axis(Fg, 1)
    if _is_winograd(algorithm, g, output, channels_do, patches_do):
        winograd.forward(
            source(x), g.x, (g.top, g.left), weight, filters, bias, output, relu, y, argmax
        )
        return
    if _is_depthwise(g) and argmax.size > 0:
        full = empty((g.N, g.OH, g.OW, g.F), x.dtype)
        forward(x, weight, bias, g, relu, algorithm, full, NO_PLACES)
        max_pool2d(full, shapes.pooled(g)[1], y, argmax.reshape(y.shape))
        return
    _, rows, columns, F = y.shape
    output = g.OH, g.OW, 0, rows * columns * F, columns * F, F
    _sums(source(x), g.x, _window(g), weight, filters, bias, output, relu, y, argmax, g)


def backward_input(dy, weight, g, algorithm, dx):
    rows = [phase(h, g.H, g.KH, g.DH, g.SH, g.top) for h in range(min(g.SH, g.H))]
    columns = [phase(w, g.W, g.KW, g.DW, g.SW, g.left) for w in range(min(g.SW, g.W))]
    if not all(row.taps for row in rows) or not all(column.taps for column in columns):
        zero_fill(dx)  # pixels that no window reaches
    Cg, Fg = g.C // g.groups, g.F // g.groups
    zeros = constant(0, g.C, dx.dtype)
    image = g.H, g.W
    patches_do = MIN_PATCHES_NONFUSED if winograd_nonfused.takes(g.y, image, g.C) else MIN_PATCHES_TRANSPOSED
    channels_do = _transforms_pay(g.F, g.C, g.W, dx.dtype)
    is_winograd = _is_winograd(algorithm, g, image, channels_do, patches_do)
    for h, row in enumerate(rows):
        for w, column in enumerate(columns):
            if not row.taps or not column.taps:
                continue
            taps = (
                Axis(row.taps, -row.step * g.KW * Cg * g.F),
                Axis(column.taps, -column.step * Cg * g.F),
            )
            start = (row.last * g.KW + column.last) * Cg * g.F
            filters = start, taps, Axis(Fg, 1), Axis(Cg, g.F)
            padding = row.padding, column.padding
            if is_winograd:
                winograd.forward(
                    dy, g.y, padding, weight, filters, zeros, image, False, dx, NO_PLACES
                )
                continue
            steps = g.H * g.W * g.C, g.SH * g.W * g.C, g.SW * g.C
            output = row.pixels, column.pixels, (h * g.W + w) * g.C, *steps
            window = row.taps, column.taps, row.dilation, column.dilation, 1, 1, *padding
            _sums(dy, g.y, window, weight, filters, zeros, output, False, dx, NO_PLACES, g)


def _sums(source, image, window, weight, filters, bias, output, relu, y, argmax, g):
    """The direct sums, in the way that takes least time."""
    *_, C = image
    start, (I, J), _, _ = filters
    whole = argmax.size == 0
    if whole and g.groups == 1 and direct_small_f.takes(window, C, bias.size, output[1], y.dtype):
        direct_small_f.forward(source, image, window, weight, filters, bias, output, relu, y)
    elif _is_depthwise(g) and depthwise_small.takes(source, image, window, output):
        flat, steps = weight.reshape(-1)[start:], (I.step, J.step)
        depthwise_small.forward(source, image, window, flat, steps, bias, output, relu, y)
    else:
        panels, filters = _panels(weight, *filters, g)
        direct.forward(source, image, window, panels, filters, bias, output, relu, y, argmax)


def backward_weight(dy, x, g, algorithm, dweight, dbias):
    output = g.OH, g.OW
    shared = winograd_nonfused.takes_gradients(g.x, output, g.F)
    patches_do = MIN_PATCHES_NONFUSED if shared else PATCHES
    if _is_depthwise(g) and depthwise_small.takes_gradients(dy, g.x, _window(g), output):
        depthwise_small.weight_gradient(x, dy, g, dweight, dbias)
    elif _is_depthwise(g):
        depthwise_weight.weight_gradient(x, dy, g, dweight, dbias)
    elif _is_winograd(algorithm, g, output, min(g.C, g.F) >= CHANNELS, patches_do):
        winograd.weight_gradient(source(x), g.x, (g.top, g.left), dy, output, dweight, dbias)
    elif direct_weight_rgb.takes(g, x.dtype):
        direct_weight_rgb.weight_gradient(
            source(x), g.x, (g.top, g.left), dy, output, dweight, dbias
        )
    else:
        direct_weight.weight_gradient(
            source(x), g.x, _window(g), dy, g.groups, output, dweight, dbias
        )


def _is_winograd(algorithm, g, output, channels_do, patches_do):
    """Whether Winograd's transforms pay for themselves: enough channels are transformed, and patches per filter."""
    if algorithm != "auto":
        return algorithm == "winograd"
    return g.winograd and channels_do and winograd_nonfused.patches(g.N, output) >= patches_do


def _transforms_pay(channels, filters, columns, dtype):
    """Whether Winograd's transforms of so many channels serve enough filters."""
    few = direct_small_f.beats_winograd(channels, filters, columns, dtype)
    return channels >= CHANNELS and not few


def _is_depthwise(g):
    """Whether each channel has one filter of its own."""
    return g.groups == g.C == g.F > 1


def _panels(weight, start, taps, rows, columns, g):
    """The filters in panels, and how direct.py's kernel is told so."""
    if _is_depthwise(g):
        I, J = taps
        return weight.reshape(-1)[start:], (1, 0, g.C, I.step, J.step)
    if columns.step == 1 and _lies_in_panels(g, weight.dtype):
        return weight.reshape(-1), (1, g.C, g.F, g.F, NR_VECTORS * lanes(weight.dtype))
    panels = pack(weight, start, taps, rows, columns, Axis(g.groups, g.F // g.groups))
    return panels, (g.groups, rows.count, columns.count, 0, panels.shape[1])


def _lies_in_panels(g, dtype):
    """Whether filters are read where they lie: one panel is as it should be, few for few pixels not worth a copy."""
    if g.groups > 1 or g.F % lanes(dtype):
        return False
    few = g.N * g.OH * g.OW <= FEW_PIXELS and g.KH * g.KW * g.C * g.F <= FEW_WEIGHTS
    return few or NR_VECTORS * lanes(dtype) == g.F


def _window(g):
    return g.KH, g.KW, g.DH, g.DW, g.SH, g.SW, g.top, g.left
