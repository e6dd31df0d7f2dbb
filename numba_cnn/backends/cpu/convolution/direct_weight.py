"""Images times gradients: the weight gradient of conv2d and of dense, and the bias gradient with it.

A tile of dweight is a sum over pixels of a column of x (a channel under one filter tap) times a row
of dy. The images are cut into bands whose gradients stay in the first-level cache while every tile
runs over them.
"""

from math import prod

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.host import L1_IS_48K, VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.direct_weight_packing import (
    TILES_PER_PANEL,
    gather_gradients,
    pack_channels,
)
from numba_cnn.backends.cpu.convolution.direct_weight_prefetch import next_band, passed
from numba_cnn.backends.cpu.convolution.packing import panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import (
    fill_row,
    lie_inside,
    row_filler,
    row_width,
)
from numba_cnn.backends.cpu.microkernels.brgemm import BY_COLUMNS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.brgemm_packing import (
    PACKS_WHILE_MULTIPLYING,
    brgemm_packing,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

# Whether tiles read channels where they lie, however far apart pixels are in memory: a first-level cache of 48 KiB
# holds part of them, and AVX-512 hides the latency of the rest.
IN_PLACE = L1_IS_48K and VECTOR_BITS == 512
MAX_BAND = 112 if IN_PLACE else 128  # the most pixels: 14 or 16 KiB of a panel of gradients
MAX_COLUMNS = (
    256  # the most columns of gradients: all panels of a band stay in the second-level cache
)
# The fewest elements from pixel to pixel for which the channels of a few tiles are copied side by side.
MIN_STRIDE_PACKED = 1 << 62 if IN_PLACE else 32
TASKS = 16  # pieces of work; from shapes alone, so that the order of summation does not depend on threads
MIN_TILES = 12  # the fewest tiles that share the gradients that a block gathers

ALGORITHM = "direct"


def supports(problem):
    return True


def pays(problem):
    return True


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py."""
    sum_over_pixels(
        x, problem.image, problem.window, dy, problem.g.groups, problem.output, dweight, dbias
    )


def sum_over_pixels(x, image, window, dy, groups, output, dweight, dbias):
    """dweight (KH, KW, C/groups, F) and dbias (F,); the arguments are those of the kernel below."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    (OH, OW), F = output, dbias.size
    HK, WK = DH * (KH - 1) + 1, DW * (KW - 1) + 1
    inside = lie_inside(image, window, output)
    dtype, pooled, last = dbias.dtype, dy[2].size > 0, OW
    VL = lanes(dtype)
    if inside and window == (1, 1, DH, DW, 1, 1, 0, 0) and not pooled:
        pixels = N * OH * OW
        OH, OW = 1, min(pixels, MAX_BAND)
        N = -(-pixels // OW)
        last = pixels - (N - 1) * OW
        image, images, rows = (N, 1, OW, C), 1, 1
    else:
        images = max(1, min(N, MAX_BAND // (OH * OW)))
        rows = OH if images > 1 else max(1, min(OH, MAX_BAND // OW))
        rows = max(2, rows // 2 * 2) if pooled else rows
    bands = -(-N // images) * -(-OH // rows)
    taps, M = (KH, KW * C) if DW == 1 and groups == 1 else (KH * KW * groups, C // groups)
    panels = -(-F // groups // (NR_VECTORS * VL))
    windows, gathered = N * OH * OW * KH * KW * C, N * OH * OW * F + (0 if inside else x[0].size)
    chunks, high, wide = _split(
        bands, taps * -(-M // MR), panels, NR_VECTORS * VL, windows, gathered, dweight.size
    )
    threads = get_num_threads()
    strip = 0 if inside else images * ((rows - 1) * SH + HK) * ((OW - 1) * SW + WK) * C
    count, width = images * rows * OW, -(-panels // wide) * NR_VECTORS * VL
    packed = SW * C >= MIN_STRIDE_PACKED
    band = count * (width + packed * TILES_PER_PANEL * MR)
    row_buffers = empty((threads, strip + VL + band + width), dtype)
    dweights, dbiases = partials_of(dweight, chunks), partials_of(dbias, chunks)
    tile = brgemm.address(dtype), brgemm_packing.address(dtype) if PACKS_WHILE_MULTIPLYING else 0
    _weight_gradient(
        threads, tile, row_filler(dtype), x, image, window, dy,
        (groups, C // groups, F // groups), (OH, OW, last), (images, rows, not inside, packed), (chunks, high, wide),
        constant(0, NR_VECTORS * VL, dtype), row_buffers, dweights, dbiases,
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


def _split(bands, tiles, panels, width, windows, gathered, weights):
    """(chunks, blocks of tiles, blocks of panels): of the ways to have enough tasks, that which moves least memory.

    A block of tiles gathers all gradients, and pads all images; a block of panels copies all windows; and each chunk
    writes sums of its own, which are read and added.
    """
    least = -(-panels * width // MAX_COLUMNS)
    powers = [1 << k for k in range(TASKS.bit_length())]
    widths = [wide for wide in powers if least <= wide <= max(least, panels)] or [least]
    ways = [
        (min(bands, max(1, TASKS // (high * wide))), high, wide)
        for high in powers
        for wide in widths
        if high <= max(1, tiles // MIN_TILES)
    ]
    enough = min(TASKS // 2, max(chunks * high * wide for chunks, high, wide in ways))
    return min(
        (way for way in ways if prod(way) >= enough),
        key=lambda way: way[1] * gathered + way[2] * windows + 3 * (way[0] - 1) * weights,
    )


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Partial sums of the gradients of filters and bias; each share is whole tasks: bands times a block of dweight.

    image, window   as in forward
    x, dy           sources of images, see row_buffers.py
    filters         (groups, C/groups, F/groups)
    output          (OH, OW, pixels in the last row) of dy
    bands           (images, rows, whether windows are copied, whether few tiles' channels are): a band is `images`
                    whole images or `rows` rows of one
    split           (chunks of bands, blocks of tiles, blocks of panels)
    row_buffers          (threads, elements): the band's windows, padded, and behind them its gradients, gated
    dweight, dbias  (chunks, elements): chunks depend on shapes alone, so do the sums' order and their bits
    """
    (
        tile, filler, x, image, window, dy, filters, output, bands, split, zeros, row_buffers, dweight, dbias,
    ) = unpack(packed)  # fmt: skip
    N, OH = image[0], output[0]
    images, rows, _, _ = bands
    chunks, high, wide = split
    each = -(-OH // rows)
    count = -(-N // images) * each
    tasks = chunks * high * wide
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        chunk, block = task // (high * wide), task % (high * wide)
        first = chunk * count // chunks
        for band in range(first, (chunk + 1) * count // chunks):
            n, oh = band // each * images, band % each * rows
            _weight_band(
                tile, filler, x, image, window, dy, filters, output, bands, split, n, min(n + images, N),
                oh, min(oh + rows, OH), block, band == first, zeros, row_buffers.reshape(-1),
                thread * row_buffers.shape[1], dweight.reshape(-1), chunk * dweight.shape[1],
                dbias.reshape(-1), chunk * dbias.shape[1],
            )  # fmt: skip


@inline
def _weight_band(
    tile, filler, x, image, window, dy, filters, output, bands, split, n0, n1, oh0, oh1, block, first, zeros,
    row_buffers, s0, dweight, w0, dbias, d0,
):  # fmt: skip
    """The share of one band in one block of dweight."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    groups, Cg, Fg = filters
    OH, OW, last = output
    _, _, copied, packed = bands
    _, high, wide = split
    VL = lanes_of(row_buffers)
    width = NR_VECTORS * VL
    BATCH_I, BATCH_J, M = (KH, 1, KW * Cg) if DW == 1 and groups == 1 else (KH, KW, Cg)
    tiles, panels = -(-M // MR), -(-Fg // width)
    all_tiles = BATCH_I * BATCH_J * tiles
    row, column = block // wide, block % wide
    t0, t1 = row * groups * all_tiles // high, (row + 1) * groups * all_tiles // high
    f0, f1 = column * panels // wide * width, min(Fg, (column + 1) * panels // wide * width)
    WS = row_width(window, OW) if copied else W
    a_n, a_row, p0 = H * W * C, W * C, s0
    source, a = x[0], ((n0 * H + oh0 * SH - top) * W - left) * C
    if copied:
        HS = (oh1 - oh0 - 1) * SH + DH * (KH - 1) + 1
        source, a, a_n, a_row = row_buffers, s0, HS * WS * C, WS * C
        for n in range(n0, n1):
            for h in range(HS):
                fill_row(filler, x, image, n, oh0 * SH - top + h, -left, WS, 0, C, row_buffers, p0)
                p0 += WS * C
    p0 += -p0 % VL
    pixels = last if n1 == N and oh1 == OH and n1 - n0 == 1 and oh1 - oh0 == 1 else OW
    none = row_buffers.dtype.type(-np.inf)
    count = (n1 - n0) * (oh1 - oh0) * pixels
    q0 = p0 + count * (f1 - f0 + -(f1 - f0) % VL)
    unread = q0 + (count * TILES_PER_PANEL * MR if packed else 0)
    dy0 = (n0 * OH + oh0) * OW * groups * Fg
    turn, turns, prefetched = 0, -(-(f1 - f0) // width) * (t1 - t0), 0
    ahead = next_band(
        image, window, dy, filters, n0, n1, oh0, oh1, OH, dy0, count, split, t0 * M // all_tiles, t1 * M // all_tiles,
        f0, f1, turns,
    )  # fmt: skip
    passes = ahead[0][2] + ahead[1][2] + ahead[2][2]
    for g in range(t0 // all_tiles, -(-t1 // all_tiles)):
        t, stop = max(t0, g * all_tiles), min(t1, (g + 1) * all_tiles)
        # The block that has the group's first tile answers for its bias; others add to a sum nobody reads.
        sums, b0 = (dbias, d0 + g * Fg + f0) if t == g * all_tiles else (row_buffers, unread)
        if first:
            for f in range(f1 - f0):
                sums[b0 + f] = 0
        # Its gradients are gathered by the first tile that reads them, if that is a whole one.
        low = t % tiles
        more = min(tiles - low, stop - t, TILES_PER_PANEL)
        whole = (low + more) * M // tiles - low * M // tiles >= MR
        gathers = PACKS_WHILE_MULTIPLYING and whole and dy[2].size == 0
        for f in range(f0 if not gathers else f1, f1, width):
            across = panel_width(f1 - f, row_buffers)
            for n in range(n0, n1):
                p = p0 + count * (f - f0) + (n - n0) * (oh1 - oh0) * pixels * across
                gather_gradients(
                    dy, n, oh0, oh1, OH, OW, pixels, groups * Fg, g * Fg + f, min(width, f1 - f), row_buffers, p,
                    across, sums, b0 + f - f0,
                )  # fmt: skip
        while t < stop:
            i, j, m = t // (BATCH_J * tiles) % BATCH_I, t // tiles % BATCH_J, t % tiles
            more = min(tiles - m, stop - t, TILES_PER_PANEL)
            k, k_stop = m * M // tiles, (m + more) * M // tiles
            A, A0 = source, a + i * DH * a_row + j * DW * C + g * Cg + k
            a_i, a_j, a_step, J1, J2, K = a_n, SH * a_row, SW * C, n1 - n0, oh1 - oh0, pixels
            if packed:
                pack_channels(A, A0, a_i, a_j, a_step, J1, J2, K, k_stop - k, row_buffers, q0)
                A, A0, a_i, a_j, a_step, J1, J2, K = (
                    row_buffers,
                    q0,
                    0,
                    0,
                    TILES_PER_PANEL * MR,
                    1,
                    1,
                    count,
                )
            for f in range(f0, f1, width):
                columns, p, rows = min(width, f1 - f), p0 + count * (f - f0), k_stop - k
                o = w0 + ((i * BATCH_J + j) * M + k) * groups * Fg + g * Fg + f
                initial, i0, i_m = (zeros, 0, 0) if first else (dweight, o, groups * Fg)
                next_, next0, next_k, next_t = passed(x[0], dy, ahead, prefetched)
                if prefetched < passes and prefetched * turns <= turn * passes:
                    prefetched += more
                else:
                    next_k = next_t = 0
                if gathers:
                    brgemm_packing(
                        tile[1], columns, (J1, J2, K), C=(dweight, o, groups * Fg), I=(initial, i0, i_m),
                        A=(A, A0, a_i, a_j, a_step),
                        dy=(dy[0], dy[1], dy0 + g * Fg + f, dy[1].size > 0, groups * Fg),
                        panel=(row_buffers, p), sums=(sums, b0 + f - f0), floor=none, N=(next_, next0, next_k),
                    )  # fmt: skip
                    rows -= MR
                    o += MR * groups * Fg
                    i0 += MR * i_m
                    next0 += next_t
                if rows > 0:
                    brgemm(
                        tile[0], (rows, columns), (J1, J2, K), C=(dweight, o, groups * Fg), I=(initial, i0, i_m),
                        A=(A, A0 + k_stop - k - rows, a_i, a_j, a_step, BY_COLUMNS),
                        B=(row_buffers, p, panel_width(columns, row_buffers)), epilogue=(none, False),
                        N=(next_, next0, next_k, next_t),
                    )  # fmt: skip
                turn += more
            gathers = False
            t += more
