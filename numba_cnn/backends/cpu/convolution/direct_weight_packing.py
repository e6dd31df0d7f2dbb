"""What direct_weight.py copies before it multiplies: panels of gradients, and channels that lie far apart."""

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.microkernels.brgemm import MR
from numba_cnn.backends.cpu.microkernels.copy import copy_rows, gather_panel

TILES_PER_PANEL = 4  # tiles that run over one panel before the next


@inline
def gather_gradients(dy, n, band, extents, columns, panel, sums):
    """The panel of the gradients of some rows of one image; sums += those over its pixels.

    extents   (OH, OW, pixels that are read of a row, F)
    columns   (first filter, how many)
    panel     (array, start, width)
    sums      (array, start)
    """
    (x, gate, argmax), (OH, OW, pixels, F), (f, wide) = dy, extents, columns
    rows = band.oh1 - band.oh0
    if argmax.size == 0:
        source = x, gate, argmax, (n * OH + band.oh0) * OW * F + f, gate.size > 0, F
        gather_panel(source, False, (panel[0], panel[1], 0), (rows * pixels, wide), sums)
        return
    PW, below = OW // 2, OW * panel[2]
    for r in range(0, rows, 2):
        source = x, gate, argmax, (n * OH + band.oh0 + r) // 2 * PW * F + f, gate.size > 0, F
        gather_panel(source, True, (panel[0], panel[1] + r * below, below), (PW, wide), sums)


@inline
def pack_channels(A, batch, channels, target):
    """Some channels under one tap, pixel after pixel: side by side they do not fight for the same cache sets.

    A        (array, start, image step, row step, column step)
    batch    (images, rows, pixels)
    target   (array, start)
    """
    (source, a, a_n, a_row, a_column), (images, rows, pixels), (packed, q) = A, batch, target
    for n in range(images):
        for r in range(rows):
            copied = source, source, a + n * a_n + r * a_row, False, a_column
            row = TILES_PER_PANEL * MR
            copy_rows(copied, (packed, q, row), (pixels, channels, channels))
            q += pixels * row
