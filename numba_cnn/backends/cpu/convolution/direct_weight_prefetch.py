"""What direct_weight.py prefetches while it computes: the images and gradients that its next band reads.

A pass of a tile over a band takes a step for each of the band's pixels, and each step prefetches a line, or a part of
one: all at once they would keep everything else waiting.
"""

from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import CACHE_LINE, VECTOR_BITS

# A full tile's step takes about as long as a line takes to come; with narrower vectors it takes less.
LINE_FOR_EACH_STEP = VECTOR_BITS == 512


@noinline
def next_band(
    image, window, dy, filters, n0, n1, oh0, oh1, OH, dy0, count, split, m0, m1, f0, f1, turns
):
    """(start, elements from step to step, passes) of the images, the gradients and their gates; and how many elements
    lie from pass to pass, with two zeros.

    image, window, dy, filters, split   as in weight_gradient
    n0 ... oh1, dy0, count              the band, its first gradient, its pixels
    m0, m1, f0, f1                      rows and columns of the block of dweight
    turns                               passes of tiles over the band
    """
    _, H, W, C = image
    KH, KW, _, _, SH, SW, _, _ = window
    groups, _, Fg = filters
    pitch, first, channels = SH * SW * C, 0, SH * SW * C
    if KH * KW * groups == 1 and pitch == C:  # a block of tiles reads but some
        first, channels = m0, m1 - m0
    images = (n1 * H * W if oh1 - oh0 == OH else (n0 * H + oh1 * SH) * W) * C + first
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
        (images, x_step, -(-channels // each)),
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
