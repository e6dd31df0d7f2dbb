"""Images times gradients: the weight gradient of conv2d and of dense, and the bias gradient with it.

A tile of dweight is a sum over pixels of a column of x (a channel under one filter tap) times a row
of dy. The images are cut into bands whose gradients stay in the first-level cache while every tile
runs over them.
"""

from math import prod

from numba_cnn.backends.cpu.codegen.host import L1_IS_48K, VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.direct_weight_band import weight_band
from numba_cnn.backends.cpu.convolution.direct_weight_packing import TILES_PER_PANEL
from numba_cnn.backends.cpu.convolution.direct_weight_prefetch import Band
from numba_cnn.backends.cpu.convolution.row_buffers import lie_inside, row_filler
from numba_cnn.backends.cpu.microkernels.brgemm import MR, NR_VECTORS, brgemm
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
    KH, KW, DH, DW, SH, SW, _, _ = window
    (OH, OW), F = output, dbias.size
    HK, WK = DH * (KH - 1) + 1, DW * (KW - 1) + 1
    inside = lie_inside(image, window, output)
    dtype, pooled, last, VL = dbias.dtype, dy[2].size > 0, OW, lanes(dbias.dtype)
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
    packing = brgemm_packing.address(dtype) if PACKS_WHILE_MULTIPLYING else 0
    code = brgemm.address(dtype), packing, row_filler(dtype)
    _weight_gradient(
        threads, code, x, image, window, dy,
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
        code, x, image, window, dy, filters, output, bands, split, zeros, row_buffers, dweight, dbias,
    ) = unpack(packed)  # fmt: skip
    N, OH = image[0], output[0]
    images, rows, _, _ = bands
    chunks, high, wide = split
    each = -(-OH // rows)
    count = -(-N // images) * each
    tasks = chunks * high * wide
    scratch = zeros, row_buffers.reshape(-1), thread * row_buffers.shape[1]
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        chunk, block = task // (high * wide), task % (high * wide)
        first = chunk * count // chunks
        for b in range(first, (chunk + 1) * count // chunks):
            n, oh = b // each * images, b % each * rows
            band = Band(n, min(n + images, N), oh, min(oh + rows, OH))
            weight_band(
                code, (x, image, window), (dy, filters, output), bands, split, band, (block, b == first), scratch,
                (dweight.reshape(-1), chunk * dweight.shape[1]), (dbias.reshape(-1), chunk * dbias.shape[1]),
            )  # fmt: skip
