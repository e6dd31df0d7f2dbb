"""What direct_weight.py copies before it multiplies: panels of gradients, and channels that lie far apart."""

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.microkernels.brgemm import MR
from numba_cnn.backends.cpu.microkernels.copy import copy_rows, gather_panel

TILES_PER_PANEL = 4  # tiles that run over one panel before the next


@inline
def gather_gradients(
    dy, n, oh0, oh1, OH, OW, pixels, F, column, wide, row_buffers, p, across, sums, b0
):
    """The panel of the gradients of some rows of one image; sums[b0 + f] += the sum over its pixels."""
    x, gate, argmax = dy
    if argmax.size == 0:
        start, count = (n * OH + oh0) * OW * F + column, (oh1 - oh0) * pixels
        gather_panel(
            (x, gate, argmax, start, gate.size > 0, F), False, (row_buffers, p, 0), (count, wide), (sums, b0)
        )  # fmt: skip
        return
    PW = OW // 2
    for r in range(0, oh1 - oh0, 2):
        start = (n * OH + oh0 + r) // 2 * PW * F + column
        gather_panel(
            (x, gate, argmax, start, gate.size > 0, F), True, (row_buffers, p + r * OW * across, OW * across),
            (PW, wide), (sums, b0),
        )  # fmt: skip


@inline
def pack_channels(source, a, a_n, a_row, a_column, images, rows, pixels, channels, row_buffers, q):
    """Some channels under one tap, pixel after pixel: side by side they do not fight for the same cache sets."""
    for n in range(images):
        for r in range(rows):
            copy_rows(
                (source, source, a + n * a_n + r * a_row, False, a_column), (row_buffers, q, TILES_PER_PANEL * MR),
                (pixels, channels, channels),
            )  # fmt: skip
            q += pixels * TILES_PER_PANEL * MR
