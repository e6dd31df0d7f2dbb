"""Few filters slid over images: what an autoencoder ends with, and the input gradient of a first
layer.

Each output is a sum over channels that lie side by side, see dot_product.py. Rows that must be padded
or gated go through a ring of as many as a window has, which stays in the first-level cache.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.row_buffers import (
    fill_row,
    row_extent,
    row_filler,
    row_width,
)
from numba_cnn.backends.cpu.microkernels.dot_product import (
    FILTERS,
    PIXELS,
    dot_products,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

LANE_SUM = 4  # products of vectors in the time that it takes to add up the lanes of one output

ALGORITHM = "direct"


def supports(problem):
    return problem.g.groups == 1 and not problem.pooled


def pays(problem):
    return _beats_brgemm(problem, problem.window)


def beats_winograd(problem):
    """Whether 3x3 filters take less time here than Winograd's transforms of all the channels."""
    few = problem.filters <= max(FILTERS, lanes(problem.dtype) // 2)
    return few and _beats_brgemm(problem, (3, 3, 1, 1))


def _beats_brgemm(problem, window):
    """Whether a pixel takes less time here than in brgemm.py, whose vectors of filters would be less full."""
    channels, filters, dtype = problem.image[3], problem.filters, problem.dtype
    KH, KW, *_ = window
    wide, together = lanes(dtype), _together(window)
    vectors = KH * (KW // together) * -(-together * channels // wide)
    there = KH * KW * channels * -(-filters // wide)
    return problem.output[1] >= PIXELS and filters * (vectors + LANE_SUM) <= there


def _together(window):
    """How many taps of a row have channels that lie side by side."""
    _, KW, _, DW, *_ = window
    return KW if DW == 1 else 1


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py."""
    start, (I, J), rows, columns = filters
    _, _, _, C = image = problem.image
    KH, KW, DH, DW, SH, SW, top, left = window = problem.window
    together = _together(window)
    vectors = -(-together * C // lanes(y.dtype))
    shape = KH, KW // together, vectors, bias.size, lanes(y.dtype)
    packed = empty(shape, y.dtype)
    threads = get_num_threads()
    _pack(
        threads, weight.reshape(-1), start, tuple(I), tuple(J), tuple(rows), columns.step, together, shape,
        packed.reshape(-1),
    )  # fmt: skip
    ring = (DH * (KH - 1) + 1) * ((output[1] - 1) * SW + DW * (KW - 1) + 1) * C
    _forward(
        threads, dot_products.address(y.dtype), row_filler(y.dtype), source, image, window, packed.reshape(-1),
        together, bias, output, y.dtype.type(0 if relu else -np.inf), y.reshape(-1), empty((threads, ring), y.dtype),
    )  # fmt: skip


@kernel
def _pack(share, shares, thread, packed):
    """Filters as dot_product.py reads them; each share is some of the runs of taps that lie `together`.

    A run has one vector per filter for each vector of its channels; zeros fill up the last.
    """
    weight, start, i_axis, j_axis, c_axis, f_step, together, shape, panels = unpack(packed)
    _, i_step = i_axis
    _, j_step = j_axis
    C, c_step = c_axis
    I, J, vectors, F, VL = shape
    for run in range(share * I * J // shares, (share + 1) * I * J // shares):
        panels[run * vectors * F * VL : (run + 1) * vectors * F * VL] = 0
        for f in range(F):
            place, lane = (run * vectors * F + f) * VL, 0
            for tap in range(together):
                w = start + run // J * i_step + (run % J + tap) * j_step + f * f_step
                for c in range(C):
                    panels[place + lane] = weight[w + c * c_step]
                    lane += 1
                    if lane == VL:
                        place, lane = place + F * VL, 0


@kernel
def _forward(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is rows of y.

    source    of images, see row_buffers.py
    image     (N, H, W, C) of the source
    window    see problem.py
    filters   see dot_product.py; so many taps of a row lie together
    output    (OH, OW, offset, image step, row step, column step) of y
    rings     (threads, elements)
    """
    (
        tile, filler, source, image, window, filters, together, bias, output, floor, y, rings,
    ) = unpack(packed)  # fmt: skip
    (N, H, W, C), (OH, OW, y0, y_n, y_h, y_w), (x, gate, spread) = image, output, source
    height, WS, left = window.DH * (window.KH - 1) + 1, row_width(window, OW), window.left
    plain = gate.size == 0 and spread.size == 0 and left <= 0 and WS - left <= W
    flat, s0 = rings.reshape(-1), thread * rings.shape[1]
    # Gated rows take the place of the oldest row while windows leave it; beside the image lie zeros from the start.
    in_passing = gate.size > 0 and spread.size == 0 and window.SH == 1
    if in_passing:
        flat[s0 : s0 + rings.shape[1]] = 0
    filled = 0  # the row of the image before which the ring ends
    begin, stop = share * N * OH // shares, (share + 1) * N * OH // shares
    panel = filters, filters.size // window.KH, together
    # A row's first products would wait for divisions: there are none but before all rows, and where some are padded.
    n, oh, slot = begin // OH, begin % OH, 0
    for r in range(begin, stop):
        if oh == OH:
            n, oh, slot = n + 1, 0, 0
        h = oh * window.SH - window.top  # the row in `slot` of the ring; those below it follow
        i0, i1 = _rows(h, height, window, H)
        later = ((n * H + h + height) * W - left) * C
        if plain:
            A = x, ((n * H + h + i0 * window.DH) * W - left) * C, W * C, 0, 0
            first_new = last_new = oldest = 0
        else:
            filled = 0 if r == begin or oh == 0 else filled
            A, first_new, last_new, oldest, filled = _through_ring(
                filler, (source, image), (n, h), i0 * window.DH, (flat, s0, slot, height), (-left, WS), filled,
                in_passing and r + 1 < stop,
            )  # fmt: skip
            later = A[1] if spread.size > 0 else later
        _dot_row(
            tile, (OW, C), (i0, i1), window, (y, y0 + n * y_n + oh * y_h, y_w), (bias, floor), A, panel,
            (x, gate if gate.size > 0 else x, later, first_new * C, last_new * C), oldest,
        )  # fmt: skip
        oh, slot = oh + 1, _moved(slot, window.SH, height)


@inline
def _through_ring(filler, images, row, first, ring, pixels, filled, gates_next):
    """The ring with all rows under a window, which begins at row h of image n: as A of _dot_row, from the `first` on.

    And which elements of the next row are gated in passing, if `gates_next`, to which place; and before which row of
    the image the ring ends then.

    ring     (array, start, place of row h, rows)
    pixels   (first, how many) of a row
    """
    (source, image), (n, h), (flat, s0, slot, height) = images, row, ring
    H, elements = image[1], pixels[1] * image[3]
    for i in range(max(filled, h, 0), min(h + height, H)):
        place = flat, s0 + _within(slot + i - h, height) * elements
        fill_row(filler, images, (n, i), pixels, (0, image[3]), place)
    a = s0 + _within(slot + first, height) * elements
    A = flat, a, elements, s0 + height * elements - a, height * elements
    below = h + height
    if gates_next and 0 <= below < H:
        first_new, last_new = row_extent(source, image, n, below, *pixels)
        return A, first_new, last_new, s0 + slot * elements, below + 1
    return A, 0, 0, 0, below


@inline
def _dot_row(tile, shape, rows, window, y, epilogue, A, filters, later, oldest):
    """One row of outputs, a few filters after the other.

    shape      (pixels, channels)
    rows       (first, behind the last) of the window that exist
    y          (array, start, column step)
    epilogue   (bias, floor)
    A          (array, start, row step, end, ring)
    filters    (array, elements of a row of taps, taps that lie together)
    later      (array, gates, start, first element, last element) of the row that the ring gets at `oldest`
    """
    (count, C), (i0, i1), (bias, floor), (source, a, row, end, ring) = shape, rows, epilogue, A
    (panels, tap_row, together), (x, gates, start, first_new, last_new) = filters, later
    F = bias.size
    blocks = -(-F // FILTERS)
    for block in range(blocks):
        f = block * F // blocks if block > 0 else 0
        f_next = (block + 1) * F // blocks if block < blocks - 1 else F
        until = last_new if block == blocks - 1 else first_new
        dot_products(
            tile, (count, f, f_next - f), (i1 - i0, window.KW // together, together * C), y=y, bias=(bias, 0),
            A=(source, a, window.DH * row, window.DW * C, window.SW * C, end, ring), B=(panels, i0 * tap_row, F),
            floor=floor, later=(x, gates, start, first_new, until), kept=(source, oldest),
        )  # fmt: skip


@noinline
def _rows(h, height, window, H):
    """Of the rows of a window that begins at row h those that exist: the first, and the one behind the last."""
    i0 = 0 if h >= 0 else -(h // window.DH)
    return i0, window.KH if h + height <= H else (H - 1 - h) // window.DH + 1


@noinline
def _moved(slot, SH, height):
    """The row of the ring so many rows below."""
    slot += SH
    while slot >= height:
        slot -= height
    return slot


@noinline
def _within(row, height):
    """The row of the ring, which may have been counted beyond its end, once."""
    return row - height if row >= height else row
