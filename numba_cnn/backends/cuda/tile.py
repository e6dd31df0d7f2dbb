"""The register tile that every large product stands on: a block of threads multiplies A (BM, K) by
B (K, BN).

Both operands pass through shared memory in slabs of BK, twice buffered: while one slab is
multiplied the next is on its way from global memory to registers, so that one barrier a slab is
enough. A thread owns a TM x TN piece of the result, made of 4 x 4 squares that lie BM / (TM/4) rows
and BN / (TN/4) columns apart: neighbouring threads then read neighbouring 128 bits, which no two
banks of shared memory answer at once.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import float32, int64, uint32, uint64

from numba_cnn.backends.cuda.launch import BLOCKS
from numba_cnn.backends.cuda.provider import SIMULATOR, device
from numba_cnn.backends.cuda.vector import load4, load4_at, load_at, store, store4

ZERO = float32(0)


class Tile(NamedTuple):
    """The extents of a block's product, and of a thread's share of it."""

    BM: int
    BN: int
    BK: int
    TM: int
    TN: int

    @property
    def threads(self):
        return (self.BM // self.TM) * (self.BN // self.TN)

    def blocks(self, M, N):
        """The grid that covers a result of M rows and N columns."""
        return -(-M // self.BM), -(-N // self.BN)


SMALL = Tile(64, 64, 8, 8, 8)
NARROW = Tile(128, 32, 8, 8, 8)
LARGE = Tile(128, 128, 8, 8, 8)
TINY = Tile(16, 16, 8, 4, 4)  # for the simulator, where a barrier costs milliseconds


def tile_for(M, N, narrow=True):
    """The tile for a result of M rows and N columns: the largest that keeps a large GPU busy."""
    if SIMULATOR:
        return TINY
    if narrow and N <= NARROW.BN:
        return NARROW
    return LARGE if prod(LARGE.blocks(M, N)) >= BLOCKS else SMALL


class Divisor(NamedTuple):
    """A divisor d of numbers below 2**31 and the factor that divides by it: n // d == n *
    multiplier >> shift.
    """

    value: np.uint32
    multiplier: np.uint32
    shift: np.uint32

    @classmethod
    def of(cls, d):
        shift = 31 + (d - 1).bit_length()
        return cls(np.uint32(d), np.uint32(-(-(1 << shift) // d)), np.uint32(shift))


@device
def divide(n, d):
    """(n // d, n % d), of which the hardware knows no instruction for integers."""
    quotient = uint32((uint64(n) * uint64(d.multiplier)) >> uint64(d.shift))
    return quotient, uint32(n - uint32(quotient * d.value))


@lru_cache
def reader(ragged):
    """read(array, place, exists, count): the four values from an address on, 0 for all where nothing
    exists, and from `count` on.

    Where every row is a multiple of 4 long (not ragged) so is `count`, and one access is enough.
    """

    @device
    def read(array, place, exists, count):
        v0 = v1 = v2 = v3 = ZERO
        if ragged:
            if exists and count > 0:
                v0 = load_at(array, place)
            if exists and count > 1:
                v1 = load_at(array, place + 4)
            if exists and count > 2:
                v2 = load_at(array, place + 8)
            if exists and count > 3:
                v3 = load_at(array, place + 12)
        elif exists and count > 0:
            v0, v1, v2, v3 = load4_at(array, place)
        return v0, v1, v2, v3

    return read


@lru_cache
def writer(ragged):
    """write(array, offset, count, v0, v1, v2, v3): the counterpart of reader."""

    @device
    def write(array, offset, count, v0, v1, v2, v3):
        if ragged:
            if count > 0:
                store(array, offset, v0)
            if count > 1:
                store(array, offset + 1, v1)
            if count > 2:
                store(array, offset + 2, v2)
            if count > 3:
                store(array, offset + 3, v3)
        elif count > 0:
            store4(array, offset, v0, v1, v2, v3)

    return write


@lru_cache
def multiplier(tile, a_row, b_row):
    """multiply(a, b, a_at, b_at, sums): one slab; row k of A lies a_row floats after row k - 1, B's
    rows b_row floats.
    """
    BM, BN, BK, TM, TN = tile
    a_step, b_step = BM // (TM // 4), BN // (TN // 4)

    @device
    def rank_one(k, a, b, a_at, b_at, sums, column, row):
        for i in range(0, TM, 4):
            v0, v1, v2, v3 = load4(a, a_at + k * a_row + i // 4 * a_step)
            column[i], column[i + 1], column[i + 2], column[i + 3] = v0, v1, v2, v3
        for j in range(0, TN, 4):
            v0, v1, v2, v3 = load4(b, b_at + k * b_row + j // 4 * b_step)
            row[j], row[j + 1], row[j + 2], row[j + 3] = v0, v1, v2, v3
        for i in range(TM):
            for j in range(TN):
                sums[i, j] += column[i] * row[j]

    return _unrolled(rank_one, BK)


def _unrolled(body, count):
    """body(0, ...), ..., body(count - 1, ...) one after the other: LLVM leaves a loop of this
    length rolled.
    """
    if count == 1:
        return body
    half = count // 2
    first, second = _unrolled(body, half), _unrolled(body, count - half)

    @device
    def run(k, a, b, a_at, b_at, sums, column, row):
        first(k, a, b, a_at, b_at, sums, column, row)
        second(k + half, a, b, a_at, b_at, sums, column, row)

    return run


class Share(NamedTuple):
    """What one thread brings of a slab: `count` fours, `stride` rows of memory apart.

    Memory holds the slab either by rows of its extent (they are stored as they come) or along the
    depth (each four is spread over four rows of the slab, `across` floats apart, whose padding
    keeps the banks apart).
    """

    fours: int
    stride: int
    count: int
    row: int
    across: int

    @classmethod
    def by_rows(cls, extent, tile):
        stride = tile.threads // (extent // 4)
        return cls(extent // 4, stride, tile.BK // stride, extent, 0)

    @classmethod
    def along_depth(cls, extent, tile):
        stride = tile.threads // (tile.BK // 4)
        return cls(tile.BK // 4, stride, extent // stride, extent + 4, extent + 4)


@lru_cache
def stasher(share):
    """stash(values, slab, at): a thread's share from registers into shared memory."""
    count, across = share.count, share.across
    step = share.stride if across else share.stride * share.row

    @device
    def stash(values, slab, at):
        for i in range(count):
            v0, v1, v2, v3 = values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]
            place = at + i * step
            if across:
                slab[uint64(place)] = v0
                slab[uint64(place + across)] = v1
                slab[uint64(place + 2 * across)] = v2
                slab[uint64(place + 3 * across)] = v3
            else:
                store4(slab, place, v0, v1, v2, v3)

    return stash


@device
def flat(index):
    """An offset into shared memory as 64 bits: a constant added to it folds into the address, to 32
    bits it would not.
    """
    return int64(uint32(index))
