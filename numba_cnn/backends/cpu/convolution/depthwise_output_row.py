"""One row of a depthwise convolution's output; direct.py hands out the rows."""

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.microkernels.depthwise_row import depthwise_row, pixels_alike, seen


@inline
def depthwise_output_row(
    tile, x, a, oh, copied, image, window, filters, steps, bias, floor, y, o, y_w, count, WS, nontemporal
):  # fmt: skip
    """One row of output pixels, each with the taps that see pixels: most with all, those at the edges with fewer."""
    _, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    _, _, F, b_i, b_j = steps
    h, i0, i1 = oh * SH - top, 0, KH
    if not copied:
        i0, i1 = seen(h, DH, KH, H)
    w = 0 if copied else -left
    ow = 0
    while ow < count:
        j0, j1, run = pixels_alike(w, DW, SW, KW, WS, count - ow)
        depthwise_row(
            tile, x, a + i0 * DH * WS * C + (j0 * DW + ow * SW) * C, DH * WS * C, DW * C, SW * C, filters,
            i0 * b_i + j0 * b_j, b_i, b_j, i1 - i0, j1 - j0, bias, floor, y, o + ow * y_w, y_w, run, F, nontemporal,
        )  # fmt: skip
        w += run * SW
        ow += run
