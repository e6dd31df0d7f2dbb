"""Filters slid over images that are read where they lie: conv2d's forward pass, and its input
gradient.

The rows of the implicit matrix are windows of the image, never copied; only what must be padded
with zeros or gated by a ReLU goes through a strip that stays in the second-level cache.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.depthwise_output_row import depthwise_output_row
from numba_cnn.backends.cpu.convolution.packing import Axis, pack, panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import (
    fill_row,
    lie_inside,
    row_filler,
    row_width,
)
from numba_cnn.backends.cpu.microkernels.brgemm import BY_ROWS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.brgemm_max_pool import brgemm_max_pool
from numba_cnn.backends.cpu.microkernels.depthwise_row import depthwise_row
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

# The longest sum of one brgemm, and the most elements from its first filter to its last: they stay in the second-level
# cache, in which rows far apart share sets.
KC, MAX_K_SPAN = 2048, 1 << 17
MAX_RUN = 8 * MR  # the most pixels that a 1x1 filter takes as one row
# The most elements of filters that stay in the second-level cache beside a block of images.
MAX_CACHED_FILTERS = 1 << 17
MAX_BLOCK = 1 << 16  # the most elements of images in a block
# The most outputs of a batch, and weights, for which packing the filters costs more than it gains.
MAX_UNPACKED_PIXELS, MAX_UNPACKED_WEIGHTS = 1024, 1 << 16

ALGORITHM = "direct"


def supports(problem):
    return True


def pays(problem):
    return True


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py."""
    g, (start, taps, rows, columns) = problem.g, filters
    if columns.step == 1 and _is_packed(g, weight.dtype):
        panels = weight.reshape(-1)
        layout = 1, g.C, g.F, g.F, NR_VECTORS * lanes(weight.dtype)
    else:
        panels = pack(weight, start, taps, rows, columns, Axis(g.groups, g.F // g.groups))
        layout = g.groups, rows.count, columns.count, 0, panels.shape[1]
    forward_packed(
        source, problem.image, problem.window, panels, layout, bias, output, relu, y, argmax
    )


def _is_packed(g, dtype):
    """Whether filters are read where they lie: one panel is as it should be, few for few pixels not worth a copy."""
    if g.groups > 1 or g.F % lanes(dtype):
        return False
    pixels, weights = g.N * g.OH * g.OW, g.KH * g.KW * g.C * g.F
    few = pixels <= MAX_UNPACKED_PIXELS and weights <= MAX_UNPACKED_WEIGHTS
    return few or NR_VECTORS * lanes(dtype) == g.F


def forward_packed(source, image, window, panels, filters, bias, output, relu, y, argmax):
    """y = act(bias + windows of x times filters in panels); the arguments are those of the kernel below."""
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    OH, OW, y0, y_n, y_h, y_w = output
    groups, Cg, Fg, _, _ = filters
    HK, WK = DH * (KH - 1) + 1, DW * (KW - 1) + 1
    inside = lie_inside(image, window, output)
    last = OW
    x, gate, spread = source
    pooled = argmax.size > 0
    whole = (H, W) == (OH, OW) and y_h == OW * y_w and y_n == OH * y_h
    if window == (1, 1, DH, DW, 1, 1, 0, 0) and whole and not pooled and not spread.size:
        OW, last, N = _runs(N * OH * OW)
        image, output = (N, 1, OW, C), (1, OW, y0, OW * y_w, 0, y_w)
        OH = 1
    # Filters of one channel leave out the taps that see no pixel.
    copied = gate.size > 0 or spread.size > 0 or not (inside or Cg == 0)
    threads = get_num_threads()
    row = SH * ((OW - 1) * SW + WK) * C
    large = panels.size > MAX_CACHED_FILTERS
    rows = max(1, (MAX_BLOCK if large else min(MAX_BLOCK, N * OH * row // (4 * threads))) // row)
    # As many blocks for each thread, and as large ones.
    rows = -(-N * OH // (-(-N * OH // (rows * threads)) * threads))
    rows = -(-rows // 2) * 2 if pooled else rows
    blocks = -(-N * OH // rows)
    count = groups * -(-Fg // (NR_VECTORS * lanes(x.dtype))) if Cg else 1
    parts = min(count, -(-8 * threads // blocks)) if large or blocks < 2 * threads else 1
    height = rows * SH + HK * (2 + rows // OH) if copied else 0
    tile = brgemm_max_pool.address if pooled else brgemm.address if Cg else depthwise_row.address
    _forward(
        threads, tile(x.dtype), row_filler(x.dtype), source, image, window, panels.reshape(-1), filters, bias,
        (*output[:2], last, *output[2:]), x.dtype.type(0 if relu else -np.inf), y.reshape(-1), argmax,
        (blocks, rows, parts, copied), empty((threads, height * ((OW - 1) * SW + WK) * C), x.dtype),
    )  # fmt: skip


def _runs(pixels):
    """The length of a run, that of the last one, and how many there are."""
    length = min(pixels, MAX_RUN)
    count = -(-pixels // length)
    return length, pixels - (count - 1) * length, count


@kernel
def _forward(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is whole blocks of rows x panels of y.

    source   of images, see row_buffers.py
    image    (N, H, W, C) of the source
    window   see problem.py
    filters  (groups, C/groups, F/groups, row step, panel step) of the panels; or, for filters of one channel each that
             are no panels, (1, 0, F, step from row to row of taps, from tap to tap), and y is not pooled
    output   (OH, OW, pixels in the last row, offset, image step, row step, column step) of y
    argmax   empty; or y has one pixel for each 2x2 outputs, their maximum, and argmax its place, by y's steps
    split    (blocks of rows, rows, groups of panels, whether windows are copied into row_buffers)
    row_buffers   (threads, elements)
    """
    (
        tile, filler, source, image, window, panels, filters, bias, output, floor, y, argmax, split, row_buffers,
    ) = unpack(packed)  # fmt: skip
    blocks, rows, parts, copied = split
    tasks = blocks * parts
    flat = row_buffers.reshape(-1)
    s0 = thread * row_buffers.shape[1]
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        block, part = task // parts, task % parts
        r0, r1 = block * rows, min((block + 1) * rows, image[0] * output[0])
        if copied:
            _fill_strips(filler, source, image, window, output, r0, r1, flat, s0)
        _correlate_block(
            tile, (flat, s0, copied), (source, image, window), (panels, filters), (bias, floor), (y, argmax, output),
            (r0, r1), (part, parts),
        )  # fmt: skip


@inline
def _fill_strips(filler, source, image, window, output, r0, r1, row_buffers, s0):
    """The image rows under the output rows r0..r1, padded and gated, image after image."""
    C, OH = image[3], output[0]
    WS = row_width(window, output[1])
    s = s0
    r = r0
    while r < r1:
        n, oh = r // OH, r % OH
        count = min(OH - oh, r1 - r)
        h0, height = oh * window.SH - window.top, window.DH * (window.KH - 1) + 1
        for h in range(h0, h0 + (count - 1) * window.SH + height):
            fill_row(filler, (source, image), (n, h), (-window.left, WS), (0, C), (row_buffers, s))
            s += WS * C
        r += count


@inline
def _correlate_block(tile, row_buffers, images, filters, epilogue, outputs, rows, part):
    """The rows r0..r1 of outputs, times the panels of one part.

    row_buffers                   (array, start, whether rows are copied into it)
    images, filters, outputs      (source, image, window), (panels, filters), (y, argmax, output) of the kernel
    epilogue                      (bias, floor)
    """
    (flat, s0, copied), (source, image, window), (panels, layout) = row_buffers, images, filters
    (bias, floor), (y, argmax, output) = epilogue, outputs
    (r0, r1), (part, parts), (N, H, W, C), (groups, Cg, Fg, _, b_panel) = rows, part, image, layout
    OH, OW, last, y0, y_n, y_h, y_w = output
    width = Fg if Cg == 0 else NR_VECTORS * lanes_of(y)
    each = -(-Fg // width)
    x, start, WS = (flat, s0, row_width(window, OW)) if copied else (source[0], 0, W)
    # All begin at a vector where all steps do.
    nontemporal = bypasses_caches(y, y0 | y_n | y_h | y_w | Fg)
    step = 2 if argmax.size > 0 else 1
    to_next, height = step * window.SH, window.DH * (window.KH - 1) + 1
    first = part * groups * each // parts
    for task in range(first, (part + 1) * groups * each // parts):
        g, f0 = task // each, (task % each) * width
        a = start + g * Cg
        f, wide, B = g * Fg + f0, min(width, Fg - f0), (panels, task * b_panel, layout)
        for r in range(r0, r1, step):
            n, oh = r // OH, r % OH
            if not copied:
                a = ((n * H + oh * window.SH - window.top) * W - window.left) * C + g * Cg
            A, o, count = (x, a, WS * C), y0 + n * y_n + f, last if r == N * OH - 1 else OW
            if argmax.size > 0:
                pooled = y, argmax, o + oh // 2 * y_h, y_w
                _correlate_pair(tile, (OW // 2, wide), pooled, (bias, f), A, C, window, B, floor)
            elif Cg == 0:
                depthwise_output_row(
                    tile, (x, a, WS, copied), oh, image, window, (panels, layout), bias, (floor, nontemporal),
                    (y, o + oh * y_h, y_w), count,
                )  # fmt: skip
            else:
                ahead = _ahead(source, a, copied, image, window, OH, r + r1 - r0, task - first)
                _correlate_row(
                    tile, (count, wide), (y, o + oh * y_h, y_w), (bias, f), A, C, window, B, (floor, nontemporal),
                    ahead,
                )  # fmt: skip
            a += (to_next if oh < OH - step else to_next - window.SH + height) * WS * C


@inline
def _ahead(source, a, copied, image, window, OH, later, turn):
    """(array, start, elements): what comes from memory while the panel whose `turn` it is runs over a row of output.

    Where images are read in place, the rows below the window at a; else what the row `later` will be copied from.
    """
    _, H, W, C = image
    x, gate, spread = source
    rows = window.SH * W * C
    if not copied:
        return x, a + (window.DH * (window.KH - 1) + 1) * W * C, rows if turn == 0 else 0
    start = (later // OH * H + later % OH * window.SH) * W * C
    if spread.size > 0 or turn > 1:
        return x, start, 0
    return (x, start, rows) if turn == 0 else (gate, start, min(rows, gate.size))


@inline
def _correlate_row(tile, shape, y, bias, A, C, window, B, epilogue, ahead):
    """One row of output pixels times one panel of filters, block after block of the sum.

    shape       (pixels, filters)
    y, bias     (array, start, column step), (array, start)
    A           (array, start, row step) of the pixels, of which each has C elements
    B           (array, start, layout) of the panel
    epilogue    (floor, nontemporal)
    ahead       (array, start, elements) of what comes from memory meanwhile
    """
    (count, wide), (y, o, y_w), (x, a, a_row), (panels, b, layout) = shape, y, A, B
    (floor, nontemporal), (later, n0, fetched) = epilogue, ahead
    ldb, BATCH_I, BATCH_J, K = _sum(window, layout, wide, y)
    block = K if BATCH_I * BATCH_J > 1 else min(KC, max(64, MAX_K_SPAN // ldb))
    nontemporal = nontemporal and wide == NR_VECTORS * lanes_of(y)
    none = y.dtype.type(-np.inf)
    for k in range(0, K, block):
        run = min(block, K - k)
        is_last = k + run == K
        initial, i0, i_m = (bias[0], bias[1], 0) if k == 0 else (y, o, y_w)
        n_k = min(-(-fetched // (-(-count // MR) * BATCH_I * BATCH_J * run)), lanes_of(y))
        n_t = BATCH_I * BATCH_J * run * n_k
        if not is_last:  # the filters of the next block, a line of each row with each tile
            later, n0, n_k, n_t = panels, b + (k + run) * ldb, ldb, lanes_of(y)
        brgemm(
            tile, (count, wide), (BATCH_I, BATCH_J, run), C=(y, o, y_w), I=(initial, i0, i_m),
            A=(x, a + k, window.DH * a_row, window.DW * C, window.SW * C, BY_ROWS), B=(panels, b + k * ldb, ldb),
            epilogue=(floor if is_last else none, nontemporal and is_last), N=(later, n0, n_k, n_t),
        )  # fmt: skip


@inline
def _correlate_pair(tile, shape, y, bias, A, C, window, B, floor):
    """The maxima of a pair of rows of output pixels, for one panel of filters; y is (array, argmax, start, column
    step)."""
    (x, a, a_row), (panels, b, layout) = A, B
    ldb, BATCH_I, BATCH_J, K = _sum(window, layout, shape[1], y[0])
    brgemm_max_pool(
        tile, shape, (BATCH_I, BATCH_J, K), y=y, bias=bias,
        A=(x, a, window.SH * a_row, window.DH * a_row, window.DW * C, window.SW * C), B=(panels, b, ldb), floor=floor,
    )  # fmt: skip


@noinline
def _sum(window, filters, wide, y):
    """(row step of the panel, BATCH_I, BATCH_J, K): the loops over the elements under a window, see brgemm.py."""
    groups, Cg, _, ldb, _ = filters
    ldb = panel_width(wide, y) if ldb == 0 else ldb
    KH, KW = window.KH, window.KW
    return (ldb, KH, 1, KW * Cg) if window.DW == 1 and groups == 1 else (ldb, KH, KW, Cg)
