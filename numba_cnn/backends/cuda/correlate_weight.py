"""The weight gradient as an implicit matrix product: rows are taps and channels, columns filters,
the depth all pixels.

    partial[split, r, f] = sum over the pixels m of a split of x[window(m), r] * dy[m, f]

Both operands lie in memory with their rows across, so slabs go to shared memory as they come. The
pixels are split over many blocks, each with a partial result of its own, added up in their order
afterwards.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import float32, int32, int64, uint32

from numba_cnn.backends.cuda.launch import launch, splits
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

_NOWHERE = -(1 << 30)  # the row of a tap that does not exist: no pixel brings it into an image


class CorrelationWeight(NamedTuple):
    """What the kernel is told beside its arrays."""

    R: np.int32  # rows, KH * KW * C of them
    F: np.int32  # columns
    P: np.int32  # output pixels, the depth
    chunk: np.int32  # pixels of one split, a multiple of the tile's depth
    H: np.int32
    W: np.int32
    C: np.int32
    KW: np.int32
    OH: Divisor
    OW: Divisor
    SH: np.int32
    SW: np.int32
    DH: np.int32
    DW: np.int32
    top: np.int32
    left: np.int32

    @classmethod
    def of(cls, g, chunk):
        whole = {"R": g.KH * g.KW * g.C, "F": g.F, "P": g.N * g.OH * g.OW, "chunk": chunk}
        same = {name: getattr(g, name) for name in cls._fields if name in g._fields}
        fields = {name: np.int32(value) for name, value in {**same, **whole}.items()}
        return cls(**{**fields, "OH": Divisor.of(g.OH), "OW": Divisor.of(g.OW)})


def correlate_weight(dy, x, g, dweight):
    """Fill dweight (KH, KW, C, F)."""
    tile, parts, geometry = _plan(g)
    target = empty((parts, *dweight.shape), dweight.dtype) if parts > 1 else dweight
    run = correlate_weight_kernel(tile, bool(g.C % 4), bool(g.F % 4))
    blocks = (*tile.blocks(g.KH * g.KW * g.C, g.F), parts)
    launch(run, blocks, tile.threads, x, dy, geometry, target)
    if parts > 1:
        sum_partials(target, parts, None, False, dweight)


@lru_cache
def _plan(g):
    tile = tile_for(g.KH * g.KW * g.C, g.F, narrow=False)
    steps = -(-g.N * g.OH * g.OW // tile.BK)
    parts = splits(prod(tile.blocks(g.KH * g.KW * g.C, g.F)), steps)
    return tile, parts, CorrelationWeight.of(g, -(-steps // parts) * tile.BK)


@lru_cache
def correlate_weight_kernel(tile, gathered, ragged):
    """Block (x, y, z) owns rows x and columns y of split z. Where C is no multiple of 4 the rows
    are gathered one by one.
    """
    BM, BN, BK, TM, TN = tile
    A, B = Share.by_rows(BM, tile), Share.by_rows(BN, tile)
    a_size, b_size, a_row, b_row = BK * A.row, BK * B.row, A.row, B.row
    a_slabs, b_slabs, a_floats, b_floats = 2 * a_size, 2 * b_size, 4 * A.count, 4 * B.count
    a_fours, b_fours, across = A.fours, B.fours, BN // TN
    lanes = 4 if gathered else 1
    place, fetch = _placer(lanes), _fetcher(A, B, gathered, ragged)
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
        taps = cuda.local.array((lanes, 2), int32)
        shifts = cuda.local.array(lanes, int64)

        t = int32(cuda.threadIdx.x)
        m0, n0 = int32(cuda.blockIdx.x * BM), int32(cuda.blockIdx.y * BN)
        ak, m = int32(t // a_fours), int32(t % a_fours * 4)
        bk, n = int32(t // b_fours), int32(t % b_fours * 4)
        a_at, b_at = ak * a_row + m, bk * b_row + n
        top, left = int32(t // across * 4), int32(t % across * 4)

        place(int32(m0 + m), g, taps, shifts)
        pixel = int32(cuda.blockIdx.z * g.chunk)
        end = int32(min(pixel + g.chunk, g.P))
        steps = int32((end - pixel + BK - 1) // BK)
        for i in range(TM):
            for j in range(TN):
                sums[i, j] = ZERO

        fetch(x, dy, g, pixel, end, ak, bk, int32(n0 + n), taps, shifts, a_values, b_values)
        stash_a(a_values, a, flat(a_at))
        stash_b(b_values, b, flat(b_at))
        cuda.syncthreads()
        a_slab, b_slab = int32(0), int32(0)
        for _ in range(steps):
            pixel = int32(pixel + BK)
            fetch(x, dy, g, pixel, end, ak, bk, int32(n0 + n), taps, shifts, a_values, b_values)
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


def _placer(lanes):
    """place(r, g, taps, shifts): how far rows r, r + 1, ... look from the pixel that a window
    starts at.
    """

    @device
    def place(r, g, taps, shifts):
        for lane in range(lanes):
            tap = int32((r + lane) // g.C)
            kh = int32(tap // g.KW)
            dh = int32(kh * g.DH - g.top)
            dw = int32((tap - kh * g.KW) * g.DW - g.left)
            taps[lane, 0] = dh if r + lane < g.R else _NOWHERE
            taps[lane, 1] = dw
            shifts[lane] = (dh * int64(g.W) + dw) * g.C + (r + lane - tap * g.C)

    return place


def _fetcher(A, B, gathered, ragged):
    """fetch(...): the slab of the pixels from `pixel` on from global memory into registers, zeros
    beyond `end`.
    """
    read_row = reader(gathered)
    read = reader(ragged)
    a_count, a_stride, b_count, b_stride = A.count, A.stride, B.count, B.stride
    lanes = 4 if gathered else 1
    whole = 1 if gathered else 4

    @device
    def fetch(x, dy, g, pixel, end, ak, bk, n, taps, shifts, a_values, b_values):
        for i in range(a_count):
            m = int32(pixel + ak + i * a_stride)
            rest, ow = divide(uint32(m), g.OW)
            image, oh = divide(rest, g.OH)
            h0, w0 = int32(oh * g.SH), int32(ow * g.SW)
            start = ((image * int64(g.H) + h0) * int64(g.W) + w0) * g.C
            for lane in range(lanes):
                h, w = int32(h0 + taps[lane, 0]), int32(w0 + taps[lane, 1])
                inside = m < end and uint32(h) < uint32(g.H) and uint32(w) < uint32(g.W)
                four = read_row(x, start + shifts[lane], inside, whole)
                for k in range(whole):
                    a_values[4 * i + lane + k] = four[k]
        for i in range(b_count):
            m = int32(pixel + bk + i * b_stride)
            four = read(dy, m * int64(g.F) + n, m < end, int32(g.F - n))
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
            if r < g.R:
                at = (split * int64(g.R) + r) * g.F
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
