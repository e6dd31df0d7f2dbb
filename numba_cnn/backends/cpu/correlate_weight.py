"""Images times gradients: the weight gradient of conv2d and of dense, and the bias gradient with it.

A tile of dweight is a sum over pixels of a column of x (a channel under one filter tap) times a row
of dy. The images are cut into bands whose gradients stay in the first-level cache while every tile
runs over them.
"""

from math import prod

import numpy as np

from numba_cnn.backends.cpu.caches import ROOMY
from numba_cnn.backends.cpu.chunks import add_chunks, chunks_of
from numba_cnn.backends.cpu.compiler import inline
from numba_cnn.backends.cpu.copy import copy_rows, gather_panel
from numba_cnn.backends.cpu.gated_tile import GATHERS, gated_product, gated_tiles
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.memory import constant, empty
from numba_cnn.backends.cpu.next_band import next_band, passed
from numba_cnn.backends.cpu.panels import panel_width
from numba_cnn.backends.cpu.strips import fill_strip, strip_filler, strip_width
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import ROWS, VECTORS, lanes_of, product, tiles
from numba_cnn.backends.cpu.vector import BITS, lanes

# Whether tiles read channels where they lie, however far apart pixels are in memory: a roomy first-level cache holds
# some, and wide vectors leave time for the others to come.
IN_PLACE = ROOMY and BITS == 512
BAND = 112 if IN_PLACE else 128  # pixels, at most: 14 or 16 KiB of a panel of gradients
COLUMNS = 256  # of gradients, at most: all panels of a band stay in the second-level cache
FEW = 4  # tiles that run over one panel before the next
# Elements from pixel to pixel, from which on the channels of a few tiles are copied side by side.
PACK = 1 << 62 if IN_PLACE else 32
TASKS = 16  # pieces of work; from shapes alone, so that the order of summation does not depend on threads
TILES = 12  # that share the gradients that a block gathers, at least


def correlate_weight(x, image, window, dy, groups, output, dweight, dbias):
    """dweight (KH, KW, C/groups, F) and dbias (F,); the arguments are those of the kernel below."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    OH, OW = output
    F = dbias.size
    HK, WK = DH * (KH - 1) + 1, DW * (KW - 1) + 1
    inside = (
        top <= 0 and left <= 0 and (OH - 1) * SH + HK - top <= H and (OW - 1) * SW + WK - left <= W
    )
    dtype, pooled = dbias.dtype, dy[2].size > 0
    VL = lanes(dtype)
    last = OW
    if inside and window == (1, 1, DH, DW, 1, 1, 0, 0) and not pooled:
        pixels = N * OH * OW
        OH, OW = 1, min(pixels, BAND)
        N = -(-pixels // OW)
        last = pixels - (N - 1) * OW
        image, images, rows = (N, 1, OW, C), 1, 1
    else:
        images = max(1, min(N, BAND // (OH * OW)))
        rows = OH if images > 1 else max(1, min(OH, BAND // OW))
        rows = max(2, rows // 2 * 2) if pooled else rows
    bands = -(-N // images) * -(-OH // rows)
    taps, M = (KH, KW * C) if DW == 1 and groups == 1 else (KH * KW * groups, C // groups)
    panels = -(-F // groups // (VECTORS * VL))
    windows, gathered = N * OH * OW * KH * KW * C, N * OH * OW * F + (0 if inside else x[0].size)
    chunks, high, wide = _split(
        bands, taps * -(-M // ROWS), panels, VECTORS * VL, windows, gathered, dweight.size
    )
    threads = get_num_threads()
    strip = 0 if inside else images * ((rows - 1) * SH + HK) * ((OW - 1) * SW + WK) * C
    count, width = images * rows * OW, -(-panels // wide) * VECTORS * VL
    packed = SW * C >= PACK
    strips = empty((threads, strip + VL + count * (width + packed * FEW * ROWS) + width), dtype)
    dweights, dbiases = chunks_of(dweight, chunks), chunks_of(dbias, chunks)
    _correlate_weight(
        threads, (tiles(dtype), gated_tiles(dtype) if GATHERS else 0), strip_filler(dtype), x, image, window, dy,
        (groups, C // groups, F // groups), (OH, OW, last), (images, rows, not inside, packed), (chunks, high, wide),
        constant(0, VECTORS * VL, dtype), strips, dweights, dbiases,
    )  # fmt: skip
    add_chunks(dweights, dweight)
    add_chunks(dbiases, dbias)


def _split(bands, tiles, panels, width, windows, gathered, weights):
    """(chunks, blocks of tiles, blocks of panels): of the ways to have enough tasks, that which moves least memory.

    A block of tiles gathers all gradients, and pads all images; a block of panels copies all windows; and each chunk
    writes sums of its own, which are read and added.
    """
    least = -(-panels * width // COLUMNS)
    powers = [1 << k for k in range(TASKS.bit_length())]
    ways = [
        (min(bands, max(1, TASKS // (high * wide))), high, wide)
        for high in powers
        for wide in powers
        if high <= max(1, tiles // TILES) and least <= wide <= max(least, panels)
    ]
    enough = min(TASKS // 2, max(chunks * high * wide for chunks, high, wide in ways))
    return min(
        (way for way in ways if prod(way) >= enough),
        key=lambda way: way[1] * gathered + way[2] * windows + 3 * (way[0] - 1) * weights,
    )


@kernel
def _correlate_weight(share, shares, thread, packed):
    """Partial sums of the gradients of filters and bias; each share is whole tasks: bands times a block of dweight.

    image, window   as in correlate
    x, dy           sources of images, see strips.py
    filters         (groups, C/groups, F/groups)
    output          (OH, OW, pixels in the last row) of dy
    bands           (images, rows, whether windows are copied, whether few tiles' channels are): a band is `images`
                    whole images or `rows` rows of one
    split           (chunks of bands, blocks of tiles, blocks of panels)
    strips          (threads, elements): the band's windows, padded, and behind them its gradients, gated
    dweight, dbias  (chunks, elements): chunks depend on shapes alone, so do the sums' order and their bits
    """
    (
        tile, filler, x, image, window, dy, filters, output, bands, split, zeros, strips, dweight, dbias,
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
                oh, min(oh + rows, OH), block, band == first, zeros, strips.reshape(-1), thread * strips.shape[1],
                dweight.reshape(-1), chunk * dweight.shape[1], dbias.reshape(-1), chunk * dbias.shape[1],
            )  # fmt: skip


@inline
def _weight_band(
    tile, filler, x, image, window, dy, filters, output, bands, split, n0, n1, oh0, oh1, block, first, zeros, strips,
    s0, dweight, w0, dbias, d0,
):  # fmt: skip
    """The share of one band in one block of dweight."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    groups, Cg, Fg = filters
    OH, OW, last = output
    _, _, copied, packed = bands
    _, high, wide = split
    VL = lanes_of(strips)
    width = VECTORS * VL
    I1, I2, M = (KH, 1, KW * Cg) if DW == 1 and groups == 1 else (KH, KW, Cg)
    tiles, panels = -(-M // ROWS), -(-Fg // width)
    all_tiles = I1 * I2 * tiles
    row, column = block // wide, block % wide
    t0, t1 = row * groups * all_tiles // high, (row + 1) * groups * all_tiles // high
    f0, f1 = column * panels // wide * width, min(Fg, (column + 1) * panels // wide * width)
    WS = strip_width(window, OW) if copied else W
    a_n, a_row, p0 = H * W * C, W * C, s0
    source, a = x[0], ((n0 * H + oh0 * SH - top) * W - left) * C
    if copied:
        HS = (oh1 - oh0 - 1) * SH + DH * (KH - 1) + 1
        source, a, a_n, a_row = strips, s0, HS * WS * C, WS * C
        for n in range(n0, n1):
            for h in range(HS):
                fill_strip(filler, x, image, n, oh0 * SH - top + h, -left, WS, 0, C, strips, p0)
                p0 += WS * C
    p0 += -p0 % VL
    pixels = last if n1 == N and oh1 == OH and n1 - n0 == 1 and oh1 - oh0 == 1 else OW
    none = strips.dtype.type(-np.inf)
    count = (n1 - n0) * (oh1 - oh0) * pixels
    q0 = p0 + count * (f1 - f0 + -(f1 - f0) % VL)
    unread = q0 + (count * FEW * ROWS if packed else 0)
    dy0 = (n0 * OH + oh0) * OW * groups * Fg
    turn, turns, asked = 0, -(-(f1 - f0) // width) * (t1 - t0), 0
    ahead = next_band(
        image, window, dy, filters, n0, n1, oh0, oh1, OH, dy0, count, split, t0 * M // all_tiles, t1 * M // all_tiles,
        f0, f1, turns,
    )  # fmt: skip
    passes = ahead[0][2] + ahead[1][2] + ahead[2][2]
    for g in range(t0 // all_tiles, -(-t1 // all_tiles)):
        t, stop = max(t0, g * all_tiles), min(t1, (g + 1) * all_tiles)
        # The block that has the group's first tile answers for its bias; others add to a sum nobody reads.
        sums, b0 = (dbias, d0 + g * Fg + f0) if t == g * all_tiles else (strips, unread)
        if first:
            for f in range(f1 - f0):
                sums[b0 + f] = 0
        # Its gradients are gathered by the first tile that reads them, if that is a whole one.
        low = t % tiles
        more = min(tiles - low, stop - t, FEW)
        whole = (low + more) * M // tiles - low * M // tiles >= ROWS
        gathers = GATHERS and whole and dy[2].size == 0
        for f in range(f0 if not gathers else f1, f1, width):
            across = panel_width(f1 - f, strips)
            for n in range(n0, n1):
                p = p0 + count * (f - f0) + (n - n0) * (oh1 - oh0) * pixels * across
                _gather(
                    dy, n, oh0, oh1, OH, OW, pixels, groups * Fg, g * Fg + f, min(width, f1 - f), strips, p, across,
                    sums, b0 + f - f0,
                )  # fmt: skip
        while t < stop:
            i, j, m = t // (I2 * tiles) % I1, t // tiles % I2, t % tiles
            more = min(tiles - m, stop - t, FEW)
            k, k_stop = m * M // tiles, (m + more) * M // tiles
            A, A0 = source, a + i * DH * a_row + j * DW * C + g * Cg + k
            a_i, a_j, a_step, J1, J2, K = a_n, SH * a_row, SW * C, n1 - n0, oh1 - oh0, pixels
            if packed:
                _pack(A, A0, a_i, a_j, a_step, J1, J2, K, k_stop - k, strips, q0)
                A, A0, a_i, a_j, a_step, J1, J2, K = strips, q0, 0, 0, FEW * ROWS, 1, 1, count
            for f in range(f0, f1, width):
                columns, p, rows = min(width, f1 - f), p0 + count * (f - f0), k_stop - k
                o = w0 + ((i * I2 + j) * M + k) * groups * Fg + g * Fg + f
                initial, i0, i_m = (zeros, 0, 0) if first else (dweight, o, groups * Fg)
                next_, next0, next_k, next_t = passed(x[0], dy, ahead, asked)
                if asked < passes and asked * turns <= turn * passes:
                    asked += more
                else:
                    next_k = next_t = 0
                if gathers:
                    gated_product(
                        tile[1], dweight, o, groups * Fg, initial, i0, i_m, A, A0, a_i, a_j, a_step,
                        dy[0], dy0 + g * Fg + f, dy[1], dy[1].size > 0, groups * Fg, strips, p, sums, b0 + f - f0,
                        J1, J2, K, none, columns, next_, next0, next_k,
                    )  # fmt: skip
                    rows -= ROWS
                    o += ROWS * groups * Fg
                    i0 += ROWS * i_m
                    next0 += next_t
                if rows > 0:
                    product(
                        tile[0], 1, rows, dweight, o, groups * Fg, initial, i0, i_m, A, A0 + k_stop - k - rows,
                        a_i, a_j, a_step, strips, p, panel_width(columns, strips), J1, J2, K, none, columns,
                        next_, next0, next_k, next_t, False,
                    )  # fmt: skip
                turn += more
            gathers = False
            t += more


@inline
def _gather(dy, n, oh0, oh1, OH, OW, pixels, F, column, wide, strips, p, across, sums, b0):
    """The panel of the gradients of some rows of one image; sums[b0 + f] += the sum over its pixels."""
    x, gate, argmax = dy
    if argmax.size == 0:
        start, count = (n * OH + oh0) * OW * F + column, (oh1 - oh0) * pixels
        gather_panel(
            x, start, F, gate, gate.size > 0, argmax, False, strips, p, 0, count, wide, sums, b0
        )
        return
    PW = OW // 2
    for r in range(0, oh1 - oh0, 2):
        start = (n * OH + oh0 + r) // 2 * PW * F + column
        gather_panel(
            x, start, F, gate, gate.size > 0, argmax, True, strips, p + r * OW * across, OW * across, PW, wide, sums, b0
        )  # fmt: skip


@inline
def _pack(source, a, a_n, a_row, a_column, images, rows, pixels, channels, strips, q):
    """Some channels under one tap, pixel after pixel: side by side they do not fight for the same cache sets."""
    for n in range(images):
        for r in range(rows):
            copy_rows(
                source, a + n * a_n + r * a_row, a_column, source, False,
                strips, q, FEW * ROWS, pixels, channels, channels,
            )  # fmt: skip
            q += pixels * FEW * ROWS
