"""One band of direct_weight.py: its windows and gradients, copied where needed, and the tiles that run over them."""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.convolution.direct_weight_packing import (
    TILES_PER_PANEL,
    gather_gradients,
    pack_channels,
)
from numba_cnn.backends.cpu.convolution.direct_weight_prefetch import next_band, passed
from numba_cnn.backends.cpu.convolution.packing import panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import fill_row, row_width
from numba_cnn.backends.cpu.microkernels.brgemm import BY_COLUMNS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.brgemm_packing import (
    PACKS_WHILE_MULTIPLYING,
    brgemm_packing,
)


@inline
def weight_band(code, images, gradients, bands, split, band, task, scratch, dweight, dbias):
    """The share of one band in one block of dweight.

    images, gradients   (x, image, window), (dy, filters, output) of the kernel
    task                (block, whether the band is the chunk's first)
    scratch             (zeros, array, start)
    dweight, dbias      (array, start)
    """
    (x, image, window), (dy, (groups, Cg, Fg), (OH, OW, _)) = images, gradients
    (block, first), (zeros, flat, s0), packed, F = task, scratch, bands[3], groups * Fg
    (BATCH_I, BATCH_J, M, tiles), VL = _sum(window, gradients[1]), lanes_of(flat)
    all_tiles = BATCH_I * BATCH_J * tiles
    t0, t1, f0, f1 = _extent(block, split, groups * all_tiles, Fg, NR_VECTORS * VL)
    (source, a, a_n, a_row), p0 = _windows(code[2], images, band, OW, bands[2], (flat, s0))
    batch, count = _batch(band, image[0], gradients[2])
    q0 = p0 + count * (f1 - f0 + -(f1 - f0) % VL)
    unread = flat, q0 + (count * TILES_PER_PANEL * MR if packed else 0)
    dy0, turns = (band.n0 * OH + band.oh0) * OW * F, -(-(f1 - f0) // (NR_VECTORS * VL)) * (t1 - t0)
    ahead = next_band(
        (image, window), dy, gradients[1], band, OH, (dy0, count), split,
        (t0 * M // all_tiles, t1 * M // all_tiles), (f0, f1), turns,
    )  # fmt: skip
    passes, progress = ahead[0][2] + ahead[1][2] + ahead[2][2], (0, 0)
    for g in range(t0 // all_tiles, -(-t1 // all_tiles)):
        t, stop = max(t0, g * all_tiles), min(t1, (g + 1) * all_tiles)
        # The block with the group's first tile answers for its bias; others add to a sum nobody reads.
        sums = (dbias[0], dbias[1] + g * Fg + f0) if t == g * all_tiles else unread
        if first:
            sums[0][sums[1] : sums[1] + f1 - f0] = 0
        gathers = _gathers_in_passing(dy, t % tiles, stop - t, M, tiles)
        if not gathers:
            _gather_panels(dy, band, (OH, OW, F, g * Fg), batch, (f0, f1), (flat, p0, count), sums)
        while t < stop:
            m, more = t % tiles, min(tiles - t % tiles, stop - t, TILES_PER_PANEL)
            k, rows = m * M // tiles, (m + more) * M // tiles - m * M // tiles
            i, j = t // (BATCH_J * tiles) % BATCH_I, t // tiles % BATCH_J
            place = a + i * window.DH * a_row + j * window.DW * image[3] + g * Cg + k
            A, over = (source, place, a_n, window.SH * a_row, window.SW * image[3]), batch
            if packed:
                pack_channels(A, batch, rows, (flat, q0))
                A, over = (flat, q0, 0, 0, TILES_PER_PANEL * MR), (1, 1, count)
            o = dweight[1] + ((i * BATCH_J + j) * M + k) * F + g * Fg
            progress = _multiply(
                code, (rows, more), over, A, (flat, p0, count), (f0, f1), (dweight[0], o, F, zeros, first),
                (dy, dy0 + g * Fg, sums, gathers), (x[0], ahead, passes, turns), progress,
            )  # fmt: skip
            gathers, t = False, t + more


@noinline
def _sum(window, filters):
    """(BATCH_I, BATCH_J, rows under a tap, tiles of them): see brgemm.py."""
    groups, Cg, _ = filters
    KH, KW = window.KH, window.KW
    if window.DW == 1 and groups == 1:
        return KH, 1, KW * Cg, -(-KW * Cg // MR)
    return KH, KW, Cg, -(-Cg // MR)


@noinline
def _extent(block, split, tiles, columns, width):
    """The first tile of a block and the one behind its last, and its columns likewise, of so many of both."""
    _, high, wide = split
    row, column, panels = block // wide, block % wide, -(-columns // width)
    f0, f1 = column * panels // wide * width, min(columns, (column + 1) * panels // wide * width)
    return row * tiles // high, (row + 1) * tiles // high, f0, f1


@noinline
def _batch(band, N, output):
    """(images, rows, pixels of a row) of a band, and its pixels; the last row of a batch may be a shorter one."""
    OH, OW, last = output
    images, rows = band.n1 - band.n0, band.oh1 - band.oh0
    ends = band.n1 == N and band.oh1 == OH
    pixels = last if ends and images == 1 and rows == 1 else OW
    return (images, rows, pixels), images * rows * pixels


@inline
def _windows(filler, images, band, OW, copied, row_buffer):
    """The rows under a band, in place or in the row buffer: (array, start, image step, row step).

    And where what is free of the buffer begins, at a whole vector.
    """
    (x, image, window), (flat, s0) = images, row_buffer
    _, H, W, C = image
    h0 = band.oh0 * window.SH - window.top
    source, a, a_n, a_row = x[0], ((band.n0 * H + h0) * W - window.left) * C, H * W * C, W * C
    p = s0
    if copied:
        HS = (band.oh1 - band.oh0 - 1) * window.SH + window.DH * (window.KH - 1) + 1
        WS = row_width(window, OW)
        source, a, a_n, a_row = flat, s0, HS * WS * C, WS * C
        for n in range(band.n0, band.n1):
            for h in range(h0, h0 + HS):
                fill_row(filler, (x, image), (n, h), (-window.left, WS), (0, C), (flat, p))
                p += WS * C
    return (source, a, a_n, a_row), p + -p % lanes_of(flat)


@noinline
def _gathers_in_passing(dy, low, left, M, tiles):
    """Whether the first of some tiles, the one after `low`, gathers the gradients that it reads: a whole one can."""
    more = min(tiles - low, left, TILES_PER_PANEL)
    whole = (low + more) * M // tiles - low * M // tiles >= MR
    return PACKS_WHILE_MULTIPLYING and whole and dy[2].size == 0


@inline
def _gather_panels(dy, band, place, batch, columns, panels, sums):
    """The panels of a band's gradients.

    place     (OH, OW, F, the group's first filter)
    batch     (images, rows, pixels)
    columns   (f0, f1) of the group
    panels    (array, start, pixels of the band)
    sums      (array, start)
    """
    (OH, OW, F, start), (f0, f1), (flat, p0, count) = place, columns, panels
    width = NR_VECTORS * lanes_of(flat)
    for f in range(f0, f1, width):
        across = panel_width(f1 - f, flat)
        for n in range(band.n0, band.n1):
            p = p0 + count * (f - f0) + (n - band.n0) * batch[1] * batch[2] * across
            gather_gradients(
                dy, n, band, (OH, OW, batch[2], F), (start + f, min(width, f1 - f)), (flat, p, across),
                (sums[0], sums[1] + f - f0),
            )  # fmt: skip


@inline
def _multiply(code, shape, batch, A, panels, columns, dweight, gradients, later, progress):
    """The products of a few tiles with all panels; the progress after it.

    shape       (rows, tiles)
    A           (array, start, a_i, a_j, a_step)
    panels      (array, start, pixels of the band)
    columns     (f0, f1) of the group
    dweight     (array, start, F, zeros, whether the band is the chunk's first)
    gradients   (dy, start, (array, start) of their sums, whether they are gathered meanwhile)
    later       (x, what next_band() says of it, passes, turns)
    progress    (turn, prefetched)
    """
    (rows, tiles), (source, a, a_i, a_j, a_step), (flat, p0, count) = shape, A, panels
    (f0, f1), (target, start, F, zeros, first), (dy, d, sums, gathers) = columns, dweight, gradients
    (x, ahead, passes, turns), (turn, prefetched) = later, progress
    width = NR_VECTORS * lanes_of(flat)
    none = flat.dtype.type(-np.inf)
    for f in range(f0, f1, width):
        wide, p, o, left = min(width, f1 - f), p0 + count * (f - f0), start + f, rows
        initial, i0, i_m = (zeros, 0, 0) if first else (target, o, F)
        next_, n0, n_k, n_t = passed(x, dy, ahead, prefetched)
        if prefetched < passes and prefetched * turns <= turn * passes:
            prefetched += tiles
        else:
            n_k = n_t = 0
        if gathers:
            brgemm_packing(
                code[1], wide, batch, C=(target, o, F), I=(initial, i0, i_m), A=(source, a, a_i, a_j, a_step),
                dy=(dy[0], dy[1], d + f, dy[1].size > 0, F), panel=(flat, p), sums=(sums[0], sums[1] + f - f0),
                floor=none, N=(next_, n0, n_k),
            )  # fmt: skip
            left -= MR
            o += MR * F
            i0 += MR * i_m
            n0 += n_t
        if left > 0:
            brgemm(
                code[0], (left, wide), batch, C=(target, o, F), I=(initial, i0, i_m),
                A=(source, a + rows - left, a_i, a_j, a_step, BY_COLUMNS), B=(flat, p, panel_width(wide, flat)),
                epilogue=(none, False), N=(next_, n0, n_k, n_t),
            )  # fmt: skip
        turn += tiles
    return turn, prefetched
