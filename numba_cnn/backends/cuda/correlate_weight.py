"""The weight gradient as an implicit matrix product: rows are taps and channels, columns filters,
the depth all pixels.

    partial[split, r, f] = sum over the pixels m of a split of x[window(m), r] * dy[m, f]

Both operands lie in memory with their rows across, so slabs go to shared memory as they come. The
pixels are split over many blocks, each with a partial result of its own, added up in their order
afterwards. Channels that are no multiple of 4 are padded with zeros first: the first layer's image is
small beside dy, and read in fours its product needs a third fewer instructions around it.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import float32, int32, int64, uint32

from numba_cnn.backends.cuda.launch import launch, launch_each, splits
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.sums import sum_partials
from numba_cnn.backends.cuda.tile import (
    ZERO,
    Divisor,
    Share,
    divide,
    flat,
    multiplier,
    reader,
    stasher,
    tile_for,
    writer,
)
from numba_cnn.backends.cuda.vector import address, store4


class CorrelationWeight(NamedTuple):
    """What the kernel is told beside its arrays."""

    R: np.int32  # rows of the product, KH * KW * C of them
    F: np.int32  # columns
    P: np.int32  # output pixels, the depth
    chunk: np.int32  # pixels of one split, a multiple of the tile's depth
    image: np.int32  # floats of an image of x
    H: np.int32
    W: np.int32
    C: Divisor  # channels of x as the kernel reads it, a multiple of 4
    channels: np.int32  # those that dweight has
    KW: np.int32
    OH: Divisor
    OW: Divisor
    SH: np.int32
    SW: np.int32
    DH: np.int32
    DW: np.int32
    top: np.int32
    left: np.int32
    rows: np.int32  # of a partial result, KH * KW * channels

    @classmethod
    def of(cls, g, chunk):
        taps, C = g.KH * g.KW, _padded(g.C)
        fields = {name: getattr(g, name) for name in cls._fields if name in g._fields}
        fields |= {"R": taps * C, "P": g.N * g.OH * g.OW, "chunk": chunk, "image": g.H * g.W * C}
        fields |= {"channels": g.C, "rows": taps * g.C}
        typed = {name: np.int32(value) for name, value in fields.items()}
        divisors = {"C": Divisor.of(C), "OH": Divisor.of(g.OH), "OW": Divisor.of(g.OW)}
        return cls(**{**typed, **divisors})


def _padded(C):
    """The next multiple of 4."""
    return -(-C // 4) * 4


def correlate_weight(dy, x, g, dweight):
    """Fill dweight (KH, KW, C, F)."""
    tile, parts, geometry = _plan(g)
    if g.C % 4:
        x = _with_channels(x, _padded(g.C))
    target = empty((parts, *dweight.shape), dweight.dtype) if parts > 1 else dweight
    run = correlate_weight_kernel(tile, bool(g.F % 4))
    blocks = (*tile.blocks(g.KH * g.KW * _padded(g.C), g.F), parts)
    launch(run, blocks, tile.threads, x, dy, geometry, target)
    if parts > 1:
        sum_partials(target, parts, None, False, dweight)


@lru_cache
def _plan(g):
    rows = g.KH * g.KW * _padded(g.C)
    tile = tile_for(rows, g.F, narrow=False)
    steps = -(-g.N * g.OH * g.OW // tile.BK)
    parts = splits(prod(tile.blocks(rows, g.F)), steps)
    return tile, parts, CorrelationWeight.of(g, -(-steps // parts) * tile.BK)


def _with_channels(x, C):
    """A copy of x with C channels, a multiple of 4; those that x lacks are 0."""
    padded = empty((*x.shape[:3], C), x.dtype)
    launch_each(pad_channels_kernel, padded.size // 4, x, padded)
    return padded


_read = reader(True)


@jit
def pad_channels_kernel(x, padded):
    """One thread four channels of the copy."""
    i = cuda.grid(1)
    if 4 * i < padded.size:
        C, fours = int32(x.shape[3]), int32(padded.shape[3] // 4)
        pixel = int32(i // fours)
        c = int32((i - pixel * fours) * 4)
        v0, v1, v2, v3 = _read(x, address(x, pixel * int64(C) + c), True, int32(C - c))
        store4(padded, int64(i) * 4, v0, v1, v2, v3)


@lru_cache
def correlate_weight_kernel(tile, ragged):
    """Block (x, y, z) owns rows x and columns y of split z."""
    BM, BN, BK, TM, TN = tile
    A, B = Share.by_rows(BM, tile), Share.by_rows(BN, tile)
    a_size, b_size, a_row, b_row = BK * A.row, BK * B.row, A.row, B.row
    a_slabs, b_slabs, a_floats, b_floats = 2 * a_size, 2 * b_size, 4 * A.count, 4 * B.count
    a_fours, b_fours, across = A.fours, B.fours, BN // TN
    fetch = _fetcher(A, B, ragged)
    stash_a, stash_b, multiply = stasher(A), stasher(B), multiplier(tile, A.row, B.row)
    finish = _finisher(tile, ragged)

    @jit
    def correlate_weight_kernel(x, dy, g, partial):
        a = cuda.shared.array(a_slabs, float32)
        b = cuda.shared.array(b_slabs, float32)
        sums = cuda.local.array((TM, TN), float32)
        column = cuda.local.array(TM, float32)
        row = cuda.local.array(TN, float32)
        a_values = cuda.local.array(a_floats, float32)
        b_values = cuda.local.array(b_floats, float32)

        t = int32(cuda.threadIdx.x)
        m0, n0 = int32(cuda.blockIdx.x * BM), int32(cuda.blockIdx.y * BN)
        ak, m = int32(t // a_fours), int32(t % a_fours * 4)
        bk, n = int32(t // b_fours), int32(t % b_fours * 4)
        a_at, b_at = ak * a_row + m, bk * b_row + n
        top, left = int32(t // across * 4), int32(t % across * 4)

        pixel = int32(cuda.blockIdx.z * g.chunk)
        end = int32(min(pixel + g.chunk, g.P))
        dh, dw, c = _tap(int32(m0 + m), g)
        x_end = end if m0 + m < g.R else int32(0)
        steps = int32((end - pixel + BK - 1) // BK)
        for i in range(TM):
            for j in range(TN):
                sums[i, j] = ZERO

        fetch(x, dy, g, pixel, x_end, end, ak, bk, int32(n0 + n), dh, dw, c, a_values, b_values)
        stash_a(a_values, a, flat(a_at))
        stash_b(b_values, b, flat(b_at))
        cuda.syncthreads()
        a_slab, b_slab = int32(0), int32(0)
        for _ in range(steps):
            pixel = int32(pixel + BK)
            fetch(x, dy, g, pixel, x_end, end, ak, bk, int32(n0 + n), dh, dw, c, a_values, b_values)
            multiply(
                0,
                a,
                b,
                flat(a_slab + top),
                flat(b_slab + left),
                sums,
                column,
                row,
            )
            a_slab, b_slab = int32(a_size - a_slab), int32(b_size - b_slab)
            stash_a(a_values, a, flat(a_slab + a_at))
            stash_b(b_values, b, flat(b_slab + b_at))
            cuda.syncthreads()
        finish(m0 + top, n0 + left, g, sums, cuda.blockIdx.z, partial)

    return correlate_weight_kernel


@device
def _tap(r, g):
    """How far rows r, ..., r + 3 look from the pixel that a window starts at, and their channel."""
    tap, c = divide(uint32(r), g.C)
    kh = int32(int32(tap) // g.KW)
    dh = int32(kh * g.DH - g.top)
    dw = int32((int32(tap) - kh * g.KW) * g.DW - g.left)
    return dh, dw, int32(c)


def _fetcher(A, B, ragged):
    """fetch(...): the slab of the pixels from `pixel` on from global memory into registers, zeros
    beyond the ends: `x_end` is 0 for rows that do not exist.
    """
    read_x, read_dy = reader(False), reader(ragged)
    a_count, a_stride, b_count, b_stride = A.count, A.stride, B.count, B.stride

    @device
    def fetch(x, dy, g, pixel, x_end, end, ak, bk, n, dh, dw, c, a_values, b_values):
        for i in range(a_count):
            m = int32(pixel + ak + i * a_stride)
            rest, ow = divide(uint32(m), g.OW)
            image, oh = divide(rest, g.OH)
            h, w = int32(int32(oh) * g.SH + dh), int32(int32(ow) * g.SW + dw)
            inside = m < x_end and uint32(h) < uint32(g.H) and uint32(w) < uint32(g.W)
            at = int32(int32(h * g.W + w) * int32(g.C.value) + c)
            four = read_x(x, address(x, int64(image) * g.image + at), inside, 4)
            for lane in range(4):
                a_values[4 * i + lane] = four[lane]
        for i in range(b_count):
            m = int32(pixel + bk + i * b_stride)
            four = read_dy(dy, address(dy, m * int64(g.F) + n), m < end, int32(g.F - n))
            for k in range(4):
                b_values[4 * i + k] = four[k]

    return fetch


def _finisher(tile, ragged):
    """finish(m, n, ...): the stores of a thread's sums."""
    BM, BN, _, TM, TN = tile
    down, across = BM // (TM // 4), BN // (TN // 4)
    write = writer(ragged)

    @device
    def finish(m0, n0, g, sums, split, partial):
        for i in range(TM):
            r = int32(m0 + i // 4 * down + i % 4)
            tap, c = divide(uint32(r), g.C)
            if r < g.R and c < g.channels:
                at = (split * int64(g.rows) + int32(tap * g.channels) + c) * g.F
                for j in range(0, TN, 4):
                    n = int32(n0 + j // 4 * across)
                    write(
                        partial,
                        at + n,
                        int32(g.F - n),
                        sums[i, j],
                        sums[i, j + 1],
                        sums[i, j + 2],
                        sums[i, j + 3],
                    )

    return finish
