"""One row of a depthwise convolution's output; direct.py hands out the rows."""

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.microkernels.depthwise_row import depthwise_row, pixels_alike, seen


@inline
def depthwise_output_row(tile, rows, oh, image, window, filters, bias, epilogue, y, count):
    """One row of output pixels, each with the taps that see pixels: most with all, those at the edges with fewer.

    rows      (array, start, pixels from row to row, whether they are a copy with zeros around it) of the image
    filters   (array, (.., .., F, step from row to row of taps, from tap to tap))
    epilogue  (floor, nontemporal)
    y         (array, start, column step)
    """
    _, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    (x, a, WS, copied), (weights, (_, _, F, b_i, b_j)), (y, o, y_w) = rows, filters, y
    h, i0, i1 = oh * SH - top, 0, KH
    if not copied:
        i0, i1 = seen(h, DH, KH, H)
    w = 0 if copied else -left
    ow = 0
    while ow < count:
        j0, j1, run = pixels_alike(w, DW, SW, KW, WS, count - ow)
        pixel = a + i0 * DH * WS * C + (j0 * DW + ow * SW) * C
        depthwise_row(
            tile, (run, F), (i1 - i0, j1 - j0), y=(y, o + ow * y_w, y_w), bias=(bias, 0),
            x=(x, pixel, DH * WS * C, DW * C, SW * C), filters=(weights, i0 * b_i + j0 * b_j, b_i, b_j),
            epilogue=epilogue,
        )  # fmt: skip
        w += run * SW
        ow += run
