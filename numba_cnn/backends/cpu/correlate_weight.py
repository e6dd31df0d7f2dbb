"""Images times gradients: the weight gradient of conv2d and of dense, and the bias gradient with it.

A tile of dweight is a sum over pixels of a column of x (a channel under one filter tap) times a row
of dy. The images are cut into bands whose gradients stay in the first-level cache while every tile
runs over them.
"""

import numpy as np

from numba_cnn.backends.cpu.chunks import add_chunks, chunks_of
from numba_cnn.backends.cpu.compiler import inline, small
from numba_cnn.backends.cpu.copy import copy_rows, gather_panel
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.memory import constant, empty
from numba_cnn.backends.cpu.panels import panel_width
from numba_cnn.backends.cpu.strips import fill_strip, strip_filler, strip_width
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import ROWS, VECTORS, lanes_of, product, tiles
from numba_cnn.backends.cpu.vector import lanes

BAND = 128  # pixels, at most: 16 KiB of a panel of gradients
PACK = 32  # elements from pixel to pixel, from which on the channels of a few tiles are copied side by side
PACKED = 4  # tiles: how many
GRADIENTS = 1 << 15  # elements of a band: all its panels stay in the second-level cache
TASKS = 16  # pieces of work; from shapes alone, so that the order of summation does not depend on threads
BLOCK = 12  # tiles that share one gathering of gradients, at least


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
    across = -(-F // groups // VL) * VL
    band = max(64, min(BAND, GRADIENTS // across))
    last = OW
    if inside and window == (1, 1, DH, DW, 1, 1, 0, 0) and not pooled:
        pixels = N * OH * OW
        OH, OW = 1, min(pixels, band)
        N = -(-pixels // OW)
        last = pixels - (N - 1) * OW
        image, images, rows = (N, 1, OW, C), 1, 1
    else:
        images = max(1, min(N, band // (OH * OW)))
        rows = OH if images > 1 else max(1, min(OH, band // OW))
        rows = max(2, rows // 2 * 2) if pooled else rows
    bands = -(-N // images) * -(-OH // rows)
    taps, M = (KH, KW * C) if DW == 1 and groups == 1 else (KH * KW * groups, C // groups)
    chunks, blocks = _split(
        bands, taps * -(-M // ROWS) // BLOCK, x[0].size + dy[0].size, taps * M * F // groups
    )
    threads = get_num_threads()
    strip = 0 if inside else images * ((rows - 1) * SH + HK) * ((OW - 1) * SW + WK) * C
    count = images * rows * OW
    strips = empty((threads, strip + VL + count * (across + PACKED * ROWS)), dtype)
    dweights, dbiases = chunks_of(dweight, chunks), chunks_of(dbias, chunks)
    _correlate_weight(
        threads, tiles(dtype), strip_filler(dtype), x, image, window, dy, (groups, C // groups, F // groups),
        (OH, OW, last), (images, rows, chunks, blocks, not inside), constant(0, VECTORS * VL, dtype), strips,
        dweights, dbiases,
    )  # fmt: skip
    add_chunks(dweights, dweight)
    add_chunks(dbiases, dbias)


def _split(bands, blocks, gathered, weights):
    """(chunks, blocks): of the ways to have enough tasks, that which moves least memory.

    Each block gathers all images and gradients; each chunk writes sums of its own, which are read and added.
    """
    ways = [(min(bands, TASKS // b), b) for b in (1, 2, 4, 8, 16) if b <= max(blocks, 1)]
    enough = min(TASKS // 2, max(chunks * b for chunks, b in ways))
    ways = [way for way in ways if way[0] * way[1] >= enough]
    return min(ways, key=lambda way: way[1] * gathered + 3 * way[0] * weights)


@kernel
def _correlate_weight(share, shares, thread, packed):
    """Partial sums of the gradients of filters and bias; each share is whole (chunk of bands, block of tiles).

    image, window   as in correlate
    x, dy           sources of images, see strips.py
    filters         (groups, C/groups, F/groups)
    output          (OH, OW, pixels in the last row) of dy
    bands           (images, rows, chunks, blocks, whether windows are copied): a band is `images` whole images or
                    `rows` rows of one; its gradients stay in the second-level cache
    strips          (threads, elements): the band's windows, padded, and behind them its gradients, gated
    dweight, dbias  (chunks, elements): chunks depend on shapes alone, so do the sums' order and their bits
    """
    tile, filler, x, image, window, dy, filters, output, bands, zeros, strips, dweight, dbias = (
        unpack(packed)
    )
    N, OH = image[0], output[0]
    images, rows, chunks, blocks, _ = bands
    each = -(-OH // rows)
    count = -(-N // images) * each
    for task in range(share * chunks * blocks // shares, (share + 1) * chunks * blocks // shares):
        chunk, block = task // blocks, task % blocks
        first = chunk * count // chunks
        for band in range(first, (chunk + 1) * count // chunks):
            n, oh = band // each * images, band % each * rows
            _weight_band(
                tile, filler, x, image, window, dy, filters, output, bands, n, min(n + images, N),
                oh, min(oh + rows, OH), block, band == first, zeros, strips.reshape(-1), thread * strips.shape[1],
                dweight.reshape(-1), chunk * dweight.shape[1], dbias.reshape(-1), chunk * dbias.shape[1],
            )  # fmt: skip


@inline
def _weight_band(
    tile, filler, x, image, window, dy, filters, output, bands, n0, n1, oh0, oh1, block, first, zeros, strips, s0,
    dweight, w0, dbias, d0,
):  # fmt: skip
    """The share of one band in one block of tiles of dweight."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    groups, Cg, Fg = filters
    OH, OW, last = output
    _, _, _, blocks, copied = bands
    VL = lanes_of(strips)
    width = VECTORS * VL
    I1, I2, M = (KH, 1, KW * Cg) if DW == 1 and groups == 1 else (KH, KW, Cg)
    tiles = -(-M // ROWS)
    all_tiles = I1 * I2 * tiles
    t0, t1 = block * groups * all_tiles // blocks, (block + 1) * groups * all_tiles // blocks
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
    packed = SW * C >= PACK
    q0 = p0 + count * -(-Fg // VL) * VL
    # The next band lies behind this one. Its gradients, their gates and its images come from memory meanwhile.
    fetched, left = 0, -(-Fg // width) * (t1 - t0)
    gradients, behind = count * groups * Fg, ((n0 * OH + oh0) * OW + count) * groups * Fg
    if dy[2].size > 0:  # a quarter of them is there
        gradients //= 4
        behind = (n0 * (OH // 2) + oh0 // 2) * (OW // 2) * groups * Fg + gradients
    gates = min(gradients, dy[1].size)
    images = (n1 - n0) * H * W * C if oh1 - oh0 == OH else (oh1 - oh0) * SH * W * C
    images = images if blocks == 1 else 0  # a block of many reads but a part of them
    ends = gradients, gradients + gates, gradients + gates + images
    starts = behind, (n0 * H + oh0 * SH) * W * C + images
    for g in range(t0 // all_tiles, -(-t1 // all_tiles)):
        for f in range(0, Fg, width):
            wide, column, p = min(width, Fg - f), g * Fg + f, p0 + count * f
            across = panel_width(wide, strips)
            # The block that has the group's first tile answers for its bias; others add to a sum nobody reads.
            sums, b0 = (dbias, d0 + column) if t0 <= g * all_tiles else (strips, q0)
            if first:
                sums[b0 : b0 + wide] = 0
            for n in range(n0, n1):
                _gather(
                    dy, n, oh0, oh1, OH, OW, pixels, groups * Fg, column, wide,
                    strips, p + (n - n0) * (oh1 - oh0) * pixels * across, across, sums, b0,
                )  # fmt: skip
        t, stop = max(t0, g * all_tiles), min(t1, (g + 1) * all_tiles)
        while t < stop:
            i, j, m = t // (I2 * tiles) % I1, t // tiles % I2, t % tiles
            more = min(tiles - m, stop - t)
            A, a_i, a_j, a_step, J1, J2, K = (
                source,
                a_n,
                SH * a_row,
                SW * C,
                n1 - n0,
                oh1 - oh0,
                pixels,
            )
            if packed:
                more = min(more, PACKED)
                A, a_i, a_j, a_step, J1, J2, K = strips, 0, 0, PACKED * ROWS, 1, 1, count
            k, k_stop = m * M // tiles, (m + more) * M // tiles
            A0 = a + i * DH * a_row + j * DW * C + g * Cg + k
            if packed:
                _pack(
                    source, A0, a_n, SH * a_row, SW * C, n1 - n0, oh1 - oh0, pixels, k_stop - k,
                    strips, q0,
                )  # fmt: skip
                A0 = q0
            for f in range(0, Fg, width):
                wide = min(width, Fg - f)
                o = w0 + ((i * I2 + j) * M + k) * groups * Fg + g * Fg + f
                initial, i0, i_m = (zeros, 0, 0) if first else (dweight, o, groups * Fg)
                ahead, next_, run = _ahead(x[0], dy, starts, ends, fetched)
                run = min(run, -(-(ends[2] - fetched) * more // left), VL * count * more)
                product(
                    tile, 1, k_stop - k, dweight, o, groups * Fg, initial, i0, i_m, A, A0, a_i, a_j, a_step,
                    strips, p0 + count * f, panel_width(wide, strips), J1, J2, K, none, wide, ahead, next_, run,
                )  # fmt: skip
                fetched += run
                left -= more
            t += more


@small
def _ahead(x, dy, starts, ends, fetched):
    """(array, start, elements) of what comes from memory next; dy's arrays begin at the first of the starts."""
    if fetched < ends[0]:
        return dy[0], starts[0] + fetched, ends[0] - fetched
    if fetched < ends[1]:
        return dy[1], starts[0] + fetched - ends[0], ends[1] - fetched
    return x, starts[1] + fetched - ends[1], ends[2] - fetched


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
                strips, q, PACKED * ROWS, pixels, channels, channels,
            )  # fmt: skip
            q += pixels * PACKED * ROWS
