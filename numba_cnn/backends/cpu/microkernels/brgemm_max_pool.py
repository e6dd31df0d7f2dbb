"""The register tile with a 2x2 max pooling behind it: of two rows of sums, only the maxima are stored."""

from functools import cache

import numpy as np
from numba import from_dtype, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, emit_call
from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import int64, opaque, pointer_to, require_vectors
from numba_cnn.backends.cpu.microkernels.brgemm import MR, BrgemmTile

PIXELS = MR // 4  # of the output, in a full tile


class _PooledTile(BrgemmTile):
    """Emits the tile of `pixels` outputs: the sums of two rows of 2 * pixels, the second `a_pair` elements from the
    first."""

    def __init__(self, builder, dtype, pixels, vectors, a_pair):
        super().__init__(builder, dtype, 4 * pixels, vectors, False)
        self.pixels, self.a_pair = pixels, a_pair

    def emit_pooled(
        self, y, y_m, argmax, bias, A, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, tail
    ):
        self._ask_below(A, a_i, BATCH_I)
        biases = self._biases(bias, tail)
        values = self.sums(biases, A, a_i, a_j, a_step, [(B, ldb)], BATCH_I, BATCH_J, K)
        values = self.activated(values, floor)
        across = 2 * self.pixels
        pooled = {
            (q, n): self.v.first_maximum(
                [values[r * across + c, n] for r in (0, 1) for c in (2 * q, 2 * q + 1)]
            )
            for q in range(self.pixels)
            for n in range(self.vectors)
        }

        def store(mask):
            for (q, n), (best, where) in pooled.items():
                kept = mask if self._last(n) else None
                self.v.store(best, self._at(y, y_m, q, n), kept)
                self.v.store_int(where, self._at(argmax, y_m, q, n), kept)
            return {}

        self.by_tail(tail, store)

    def _ask_below(self, A, a_i, BATCH_I):
        """Ask for the two rows below the windows, which the outputs below see first; two lines of each."""
        below = self.b.gep(A, [self.b.mul(a_i, self.b.add(BATCH_I, int64(1)))])
        for row in (below, self.b.gep(below, [a_i])):
            for line in (row, self.b.gep(row, [int64(self.v.lanes)])):
                self.v.prefetch(line, writing=False)

    def _biases(self, bias, tail):
        def load(mask):
            row = [
                self.v.load(self._at(bias, int64(0), 0, n), mask if self._last(n) else None)
                for n in range(self.vectors)
            ]
            return {(m, n): row[n] for m, n in self.cells}

        return self.by_tail(tail, load)

    def _addresses(self, pa, a_step):
        across = 2 * self.pixels
        groups, places = self.v.spaced(pa, a_step, across)
        below, _ = self.v.spaced(self.b.gep(pa, [self.a_pair]), a_step, across)
        places += [(len(groups) + group, offset) for group, offset in places]
        return [*groups, *below], places, int64(1)


def _emit_all(vectors):
    """An intrinsic that picks the tile by its number of outputs."""

    @intrinsic
    def tile(
        typingctx, pixels, y, y0, y_m, argmax, bias, A, a, a_pair, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor,
        tail
    ):  # fmt: skip
        signature = types.void(
            pixels, y, y0, y_m, argmax, bias, A, a, a_pair, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, tail
        )  # fmt: skip

        def codegen(context, builder, signature, values):
            pixels, y, y0, y_m, argmax, bias, A, a, a_pair, *rest = values
            y, argmax, A = builder.gep(y, [y0]), builder.gep(argmax, [y0]), builder.gep(A, [a])
            done = builder.append_basic_block("done")
            switch = builder.switch(pixels, done)
            for count in range(1, PIXELS + 1):
                block = builder.append_basic_block(f"pooled_{count}")
                switch.add_case(int64(count), block)
                builder.position_at_end(block)
                here = [
                    opaque(builder, value) for value in (a_pair, y, y_m, argmax, bias, A, *rest)
                ]
                emitted = _PooledTile(builder, floor, count, vectors, here[0])
                emitted.emit_pooled(*here[1:])
                builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return signature, codegen

    return tile


_by_1 = _emit_all(1)
_by_2 = _emit_all(2)


@by_address
def _pooled_product(
    pixels, y, y_m, argmax, bias, A, a_pair, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, columns, lanes
):  # fmt: skip
    """Tiles of nearly equal width side by side."""
    count = -(-pixels // PIXELS)
    low, more = pixels // count, pixels % count
    q = 0
    for t in range(count):
        wide = low + 1 if t < more else low
        a = 2 * q * a_step
        if columns <= lanes:
            _by_1(
                wide, y, q * y_m, y_m, argmax, bias, A, a, a_pair, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor,
                columns,
            )  # fmt: skip
        else:
            _by_2(
                wide, y, q * y_m, y_m, argmax, bias, A, a, a_pair, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor,
                columns - lanes,
            )  # fmt: skip
        q += wide


@cache
def brgemm_max_pool_address(dtype):
    """The address of the micro-kernel for a NumPy float type, compiled or read from the cache at the first call."""
    return address_of(_pooled_product, _kinds(from_dtype(np.dtype(dtype))))


def _kinds(kind):
    p, n = types.CPointer(kind), types.intp
    return n, p, n, types.CPointer(types.uint8), p, p, n, n, n, n, p, n, n, n, n, kind, n, n


@intrinsic
def brgemm_max_pool(
    typingctx, address, pixels, y, o, y_m, argmax, bias, i0, A, a0, a_pair, a_i, a_j, a_step, B, b0, ldb, BATCH_I,
    BATCH_J, K, floor, columns,
):  # fmt: skip
    """y[o + q*y_m + c], argmax alike, for q < pixels: the maximum, and its place, of 2x2 sums as brgemm() has
    them, with k's one element apart; `address` comes from brgemm_max_pool_address().

    The sums begin at bias[i0 + c]; those of the second row of a window read A a_pair elements further on.
    """
    kind = require_vectors("pooled_tile", y, bias, A, B)
    n = types.intp
    signature = types.void(
        n, n, y, n, n, argmax, bias, n, A, n, n, n, n, n, B, n, n, n, n, n, kind, n
    )

    def codegen(context, builder, signature, values):
        (
            address,
            pixels,
            y,
            o,
            y_m,
            argmax,
            bias,
            i0,
            A,
            a0,
            a_pair,
            a_i,
            a_j,
            a_step,
            B,
            b0,
            *rest,
        ) = values
        kinds = signature.args

        def at(index, array, start):
            return pointer_to(context, builder, kinds[index], array, start)

        y, argmax, bias, A, B = (
            at(2, y, o),
            at(5, argmax, o),
            at(6, bias, i0),
            at(8, A, a0),
            at(14, B, b0),
        )
        lanes = int64(VECTOR_BITS // kind.bitwidth)
        passed = [pixels, y, y_m, argmax, bias, A, a_pair, a_i, a_j, a_step, B, *rest, lanes]
        emit_call(context, builder, address, _kinds(kind), passed)
        return context.get_dummy_value()

    return signature, codegen
