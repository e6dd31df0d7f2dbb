"""conv2d on the CPU: all three passes as correlations, by the first implementation of a list that pays.

The input gradient is the correlation of dy with the filters turned by 180 degrees; where the
forward pass strides, one correlation per phase of the stride, each with the taps that reach its
pixels.
"""

from numba_cnn import shapes
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.convolution import (
    depthwise,
    depthwise_small,
    depthwise_weight,
    direct,
    direct_small_f,
    direct_weight,
    direct_weight_rgb,
    problem,
    winograd,
    winograd_choice,
    winograd_nonfused,
    winograd_rgb,
    winograd_weight,
    winograd_weight_nonfused,
)
from numba_cnn.backends.cpu.convolution.packing import Axis
from numba_cnn.backends.cpu.convolution.phases import phases
from numba_cnn.backends.cpu.convolution.problem import Problem, chosen, window_of
from numba_cnn.backends.cpu.convolution.row_buffers import NO_PLACES, source
from numba_cnn.backends.cpu.max_pool2d import max_pool2d
from numba_cnn.backends.cpu.runtime.launch_graph import recorded
from numba_cnn.backends.cpu.runtime.memory import constant, empty, recording_persists
from numba_cnn.backends.cpu.runtime.zero_fill import zero_fill

# What computes a forward pass or an input gradient: the first that supports the problem and pays.
FORWARD = (
    winograd_nonfused,
    winograd_rgb,
    winograd,
    direct_small_f,
    depthwise_small,
    depthwise,
    direct,
)
# And a weight gradient.
WEIGHT_GRADIENT = (
    depthwise_small,
    depthwise_weight,
    winograd_weight_nonfused,
    winograd_weight,
    direct_weight_rgb,
    direct_weight,
)


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
    pooled = argmax.size > 0
    what = forward_problem(g, x.dtype, algorithm, pooled, recording_persists())
    if pooled and what.depthwise:
        full = empty(g.y, x.dtype)
        forward(x, weight, bias, g, relu, algorithm, full, NO_PLACES)
        max_pool2d(full, shapes.pooled(g)[1], y, argmax.reshape(y.shape))
        return
    bias = constant(0, g.F, x.dtype) if bias is None else bias
    Cg = g.C // g.groups
    taps = Axis(g.KH, g.KW * Cg * g.F), Axis(g.KW, Cg * g.F)
    filters = 0, taps, Axis(Cg, g.F), Axis(g.F // g.groups, 1)
    _, rows, columns, F = y.shape
    output = g.OH, g.OW, 0, rows * columns * F, columns * F, F
    chosen(FORWARD, what).forward(what, source(x), weight, filters, bias, output, relu, y, argmax)


def backward_input(dy, weight, g, algorithm, dx):
    zeros = constant(0, g.C, dx.dtype)
    all_phases = phases(g)
    if len(all_phases) < min(g.SH, g.H) * min(g.SW, g.W):
        zero_fill(dx)  # pixels that no window reaches
    for one in all_phases:
        what = input_problem(g, dx.dtype, algorithm, one, spread=dy[2].size > 0)
        filters, output = one.filters(g), one.output(g)
        chosen(FORWARD, what).forward(
            what, dy, weight, filters, zeros, output, False, dx, NO_PLACES
        )


def backward_weight(dy, x, g, algorithm, dweight, dbias):
    what = weight_problem(g, x.dtype, algorithm, spread=dy[2].size > 0)
    chosen(WEIGHT_GRADIENT, what).weight_gradient(what, source(x), dy, dweight, dbias)


def forward_problem(g, dtype, algorithm, pooled=False, persists=False):
    return Problem(
        problem.FORWARD, g, dtype, algorithm, g.x, window_of(g), g.F, (g.OH, g.OW), pooled=pooled,
        persists=persists,
    )  # fmt: skip


def input_problem(g, dtype, algorithm, one, spread=False):
    """The problem of one phase."""
    rows, columns = one
    output = rows.pixels, columns.pixels
    return Problem(
        problem.INPUT_GRADIENT, g, dtype, algorithm, g.y, one.window, g.C, output, spread=spread
    )


def weight_problem(g, dtype, algorithm, spread=False):
    return Problem(
        problem.WEIGHT_GRADIENT, g, dtype, algorithm, g.x, window_of(g), g.F, (g.OH, g.OW),
        spread=spread,
    )  # fmt: skip


def explain(g, dtype, algorithm):
    """[(pass, implementation, why in a few words)]; of a strided input gradient one for each kind of its phases."""
    answers = [_answer(FORWARD, forward_problem(g, dtype, algorithm))]
    kept = _answer(FORWARD, forward_problem(g, dtype, algorithm, persists=True))
    if kept[1] != answers[0][1]:
        reason = f"{kept[2]}; it keeps the transforms of its filters"
        answers.append(("forward, in a model that predicts", kept[1], reason))
    parts = [_answer(FORWARD, input_problem(g, dtype, algorithm, one)) for one in phases(g)]
    answers += dict.fromkeys(parts)
    return [*answers, _answer(WEIGHT_GRADIENT, weight_problem(g, dtype, algorithm))]


def _answer(implementations, what):
    module = chosen(implementations, what)
    if module.ALGORITHM == "winograd":
        why = f"{winograd_choice.patches(what)} patches, {what.image[3]} channels"
    else:
        why = winograd_choice.why_not(what) or problem.words(what)
    return what.of, module.__name__.rpartition(".")[2], why
