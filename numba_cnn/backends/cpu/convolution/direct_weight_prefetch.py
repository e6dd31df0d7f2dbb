"""What direct_weight.py prefetches while it computes: the images and gradients that its next band reads.

A pass of a tile over a band takes a step for each of the band's pixels, and each step prefetches a line, or a part of
one: all at once they would keep everything else waiting.
"""

from typing import NamedTuple

from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import CACHE_LINE, VECTOR_BITS

# A full tile's step takes about as long as a line takes to come; with narrower vectors it takes less.
LINE_FOR_EACH_STEP = VECTOR_BITS == 512


class Band(NamedTuple):
    """The images n0..n1, and of each the rows oh0..oh1 of outputs."""

    n0: int
    n1: int
    oh0: int
    oh1: int


@noinline
def next_band(images, dy, filters, band, OH, gradients, split, rows, columns, turns):
    """(start, elements from step to step, passes) of the images, the gradients and their gates; and how many elements
    lie from pass to pass, with two zeros.

    images          (image, window), and dy, filters, split as in weight_gradient
    gradients       (the band's first, its pixels)
    rows, columns   (first, behind the last) of the block of dweight
    turns           passes of tiles over the band
    """
    (image, window), (dy0, count), (m0, m1), (f0, f1) = images, gradients, rows, columns
    _, H, W, C = image
    groups, _, Fg = filters
    pitch = window.SH * window.SW * C
    first, channels = 0, pitch
    if window.KH * window.KW * groups == 1 and pitch == C:  # a block of tiles reads but some
        first, channels = m0, m1 - m0
    whole = band.oh1 - band.oh0 == OH
    below = band.n1 * H * W if whole else (band.n0 * H + band.oh1 * window.SH) * W
    start = below * C + first
    row, column, columns = groups * Fg, f0, f1 - f0
    if groups > 1:
        column, columns = 0, row
    gradients = dy0 + count * row + column
    if dy[2].size > 0:  # a quarter of them is there
        gradients, row, columns = (dy0 + count * row) // 4, row // 4, row // 4
    gates = min(columns, dy[1].size)
    line = CACHE_LINE // dy[0].itemsize
    each, x_step, dy_step, on = line, pitch, row, line
    if split[1] * split[2] == 1:  # what one pixel needs lies behind what the one before needs
        if not LINE_FOR_EACH_STEP:
            each = max(1, min(line, -(-(channels + columns + gates) // turns)))
        x_step, dy_step, on = each, each, count * each
    passes = -(-columns // each)
    return (
        (start, x_step, -(-channels // each)),
        (gradients, dy_step, passes),
        (gradients, dy_step, -(-gates // each)),
        (on, 0, 0),
    )


@noinline
def passed(x, dy, ahead, prefetched):
    """(array, start, elements from step to step, from pass to pass) of what comes after so many passes."""
    (x0, x_step, x_passes), (dy0, dy_step, dy_passes), _, (on, _, _) = ahead
    if prefetched < x_passes:
        return x, x0 + prefetched * on, x_step, on
    if prefetched < x_passes + dy_passes:
        return dy[0], dy0 + (prefetched - x_passes) * on, dy_step, on
    return dy[1], dy0 + (prefetched - x_passes - dy_passes) * on, dy_step, on
