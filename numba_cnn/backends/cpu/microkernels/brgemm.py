"""The register tile that every matrix product of the library runs on: a batch-reduce GEMM emitted as
LLVM vectors.

    C[m, :] = max(I[m, :] + sum over i, j, k of A[i*a_i + j*a_j + m*a_m + k*a_k] * B[row, :], floor)

with m < rows, i < BATCH_I, j < BATCH_J, k < K, and B's rows taken one after the other, `ldb`
elements apart, as (i, j, k) counts up. The rows x columns accumulators stay in vector registers
through the whole reduction; each k costs one load per vector of B, one broadcast per row of A and
one fused multiply-add per accumulator. I is a bias (i_m = 0), zeros (i_m = 0), or C itself; floor
is 0 for a ReLU and -inf for none. All strides and offsets count elements.

After Georganas et al., "High-Performance Deep Learning via a Single Building Block",
arXiv:1906.06440.
"""

from functools import cache

import numpy as np
from numba import from_dtype, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, emit_call
from numba_cnn.backends.cpu.codegen.host import MASKS_ARE_FREE, REGISTERS, VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import (
    Vectors,
    int64,
    opaque,
    pointer_to,
    require_vectors,
    shifted,
)

NR_VECTORS = 2  # vectors side by side in a full tile
# Accumulators, B's vectors and a broadcast or two fill the register file.
MR = 12 if REGISTERS == 32 else 6
# Rows of A that lie a multiple of so many vectors apart share a set of the first-level cache, which holds so many.
SAME_SET, WAYS = 4096 * 8 // VECTOR_BITS, 8


class BrgemmTile:
    """Emits one tile of `rows` x `vectors`; either a_m == 1 (`a_columns`) or a_k == 1 is known when it is emitted."""

    def __init__(self, builder, dtype, rows, vectors, a_columns):
        self.b, self.v = builder, Vectors(builder, dtype)
        self.rows, self.vectors, self.a_columns = rows, vectors, a_columns
        self.cells = [(m, n) for m in range(rows) for n in range(vectors)]

    def emit(
        self, C, ldc, I, i_m, A, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, tail, ahead, stride, nontemporal
    ):  # fmt: skip
        values = self.initial(I, i_m, C, ldc, tail, nontemporal)
        flows = (B, ldb), (ahead, stride)
        values = self.sums(values, A, a_i, a_j, a_step, flows, BATCH_I, BATCH_J, K)
        self.finish(values, C, ldc, floor, tail, nontemporal)

    def initial(self, I, i_m, C, ldc, tail, nontemporal):
        """The accumulators at first."""
        # Rows of C far apart are none that the processor foresees: they come from memory meanwhile.
        far = self.b.icmp_signed(">", ldc, int64(self.vectors * self.v.lanes))
        with self.b.if_then(self.b.and_(far, self.b.not_(nontemporal))):
            for m, n in self.cells:
                self.v.prefetch(self._at(C, ldc, m, n), writing=True)

        def load(mask):
            return {
                (m, n): self.v.load(self._at(I, i_m, m, n), mask if self._last(n) else None)
                for m, n in self.cells
            }

        return self.by_tail(tail, load)

    def sums(self, values, A, a_i, a_j, a_step, flows, BATCH_I, BATCH_J, K):
        """The accumulators by (row, vector), from what they are at first.

        The flows are pairs of a pointer and how far each k takes it: the first is B; a second is prefetched.
        """
        flows, strides = zip(*flows, strict=True)

        def over_k(pointers, values):
            pa, *flowing = pointers
            groups, places, step = self._addresses(pa, a_step)
            pointers, values = self._loop(
                K, [*groups, *flowing], values, self._k_step(places, step, strides)
            )
            return [self.b.gep(pa, [a_j]), *pointers[len(groups) :]], values

        def over_j(pointers, values):
            pa, *flowing = pointers
            (_, *flowing), values = self._loop(BATCH_J, [pa, *flowing], values, over_k)
            return [self.b.gep(pa, [a_i]), *flowing], values

        return self._loop(BATCH_I, [A, *flows], values, over_j)[1]

    def _addresses(self, pa, a_step):
        """Pointers that advance with k; for each row which of them it counts from, and how far; their advance."""
        if self.a_columns:
            return [pa], [(0, int64(m)) for m in range(self.rows)], a_step
        return *self.v.spaced(pa, a_step, self.rows), int64(1)

    def _k_step(self, places, step, strides):
        b, v = self.b, self.v

        def body(pointers, values):
            groups, values = pointers[: -len(strides)], dict(values)
            right = self._right(pointers[-len(strides) :], values)
            for m in range(self.rows):
                group, offset = places[m]
                left = v.splat(b.load(b.gep(groups[group], [offset])))
                for n in range(self.vectors):
                    values[m, n] = v.fma(left, right[n], values[m, n])
            steps = [*(step for _ in groups), *strides]
            return [b.gep(p, [s]) for p, s in zip(pointers, steps, strict=True)], values

        return body

    def _right(self, flows, values):
        """The vectors of B's row."""
        pb, *ahead = flows
        for pointer in ahead:
            self.v.prefetch(pointer, writing=False)
        return [self.v.load(self._at(pb, int64(0), 0, n)) for n in range(self.vectors)]

    def _loop(self, count, pointers, values, body):
        """for _ in range(count): pointers, values = body(pointers, values)."""
        n = len(pointers)

        def step(*flat):
            pointers, merged = body(flat[:n], dict(zip(values, flat[n:], strict=True)))
            return [*pointers, *merged.values()]

        flat = self.v.repeat(count, [*pointers, *values.values()], step)
        return flat[:n], dict(zip(values, flat[n:], strict=True))

    def finish(self, values, C, ldc, floor, tail, nontemporal):
        """Write the accumulators, past the caches if they are `nontemporal`."""
        kept = self.activated(values, floor)

        def store(mask):
            for m, n in self.cells:
                self.v.store(kept[m, n], self._at(C, ldc, m, n), mask if self._last(n) else None)
            return {}

        with self.b.if_else(nontemporal) as (then, otherwise):
            with then:
                for m, n in self.cells:
                    self.v.store_nontemporal(kept[m, n], self._at(C, ldc, m, n))
            with otherwise:
                self.by_tail(tail, store)

    def activated(self, values, floor):
        """The larger of each value and the floor; NaN is not less than the floor: it goes through."""
        b, low = self.b, self.v.splat(floor)
        return {
            cell: b.select(b.fcmp_ordered("<", value, low), low, value)
            for cell, value in values.items()
        }

    def by_tail(self, tail, emit):
        """emit(None) where the last vector is whole, emit(mask) where only `tail` of its lanes exist."""
        b = self.b
        if MASKS_ARE_FREE:
            return emit(self.v.mask(tail))
        whole, ragged, after = (b.append_basic_block(n) for n in ("whole", "ragged", "after"))
        b.cbranch(b.icmp_signed("==", tail, int64(self.v.lanes)), whole, ragged)
        b.position_at_end(whole)
        plain = emit(None)
        b.branch(after)
        b.position_at_end(ragged)
        masked = emit(self.v.mask(tail))
        b.branch(after)
        b.position_at_end(after)
        merged = {}
        for cell in plain:
            merged[cell] = b.phi(self.v.type)
            merged[cell].add_incoming(plain[cell], whole)
            merged[cell].add_incoming(masked[cell], ragged)
        return merged

    def _last(self, n):
        return n == self.vectors - 1

    def _at(self, base, stride, m, n):
        row = self.b.gep(base, [self.b.mul(stride, int64(m))])
        return self.b.gep(row, [int64(n * self.v.lanes)])


def _emit_all(name, vectors, a_columns):
    """An intrinsic that picks the tile by its number of rows; it works on pointers, c, i and a elements from them."""

    @intrinsic
    def tile(
        typingctx, rows, C, c, ldc, I, i, i_m, A, a, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor,
        tail, ahead, stride, nontemporal,
    ):  # fmt: skip
        sig = types.void(
            rows, C, c, ldc, I, i, i_m, A, a, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, tail,
            ahead, stride, nontemporal,
        )  # fmt: skip

        def codegen(context, builder, sig, args):
            rows, C, c, ldc, I, i, i_m, A, a, *rest = args
            C, I, A = builder.gep(C, [c]), builder.gep(I, [i]), builder.gep(A, [a])
            done = builder.append_basic_block("done")
            switch = builder.switch(rows, done)
            for m in range(1, MR + 1):
                block = builder.append_basic_block(f"{name}_{m}")
                switch.add_case(int64(m), block)
                builder.position_at_end(block)
                here = [opaque(builder, value) for value in (C, ldc, I, i_m, A, *rest)]
                BrgemmTile(builder, floor, m, vectors, a_columns).emit(*here)
                builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return sig, codegen

    return tile


_rows_by_1 = _emit_all("rows_by_1", 1, False)
_rows_by_2 = _emit_all("rows_by_2", 2, False)
_columns_by_1 = _emit_all("columns_by_1", 1, True)
_columns_by_2 = _emit_all("columns_by_2", 2, True)


@by_address
def _brgemm(
    a_columns, rows, C, ldc, I, i_m, A, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, columns, ahead, ahead_k,
    ahead_t, nontemporal, lanes,
):  # fmt: skip
    """Tiles of nearly equal height under one another; all there are stand behind this function's address, so that
    kernels need not be compiled with tiles of their own."""
    aliased = not a_columns and a_step % (lanes * SAME_SET) == 0
    count = -(-rows // (min(MR, WAYS) if aliased else MR))
    low, more = rows // count, rows % count
    m = 0
    for t in range(count):
        M = low + 1 if t < more else low
        c, i = m * ldc, m * i_m
        if a_columns and columns <= lanes:
            _columns_by_1(
                M, C, c, ldc, I, i, i_m, A, m, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, columns, ahead,
                ahead_k, False,
            )  # fmt: skip
        elif a_columns:
            _columns_by_2(
                M, C, c, ldc, I, i, i_m, A, m, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, columns - lanes,
                ahead, ahead_k, False,
            )  # fmt: skip
        elif columns <= lanes:
            _rows_by_1(
                M, C, c, ldc, I, i, i_m, A, m * a_step, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor, columns,
                ahead, ahead_k, False,
            )  # fmt: skip
        else:
            _rows_by_2(
                M, C, c, ldc, I, i, i_m, A, m * a_step, a_i, a_j, a_step, B, ldb, BATCH_I, BATCH_J, K, floor,
                columns - lanes, ahead, ahead_k, nontemporal,
            )  # fmt: skip
        ahead = shifted(ahead, ahead_t)
        m += M


@cache
def brgemm_address(dtype):
    """The address of the micro-kernel for a NumPy float type, compiled or read from the cache at the first call."""
    return address_of(_brgemm, _brgemm_kinds(from_dtype(np.dtype(dtype))))


def _brgemm_kinds(kind):
    p, n = types.CPointer(kind), types.intp
    return n, n, p, n, p, n, p, n, n, n, p, n, n, n, n, kind, n, p, n, n, types.boolean, n


@intrinsic
def brgemm(
    typingctx, address, a_columns, rows, C, c0, ldc, I, i0, i_m, A, a0, a_i, a_j, a_step, B, b0, ldb, BATCH_I, BATCH_J,
    K, floor, columns, N, n0, n_k, n_t, nontemporal,
):  # fmt: skip
    """The sum above for any number of rows and at most a tile's columns; `address` comes from brgemm_address().

    a_columns is 1 where the rows of A lie one element apart and a_step is that of k; 0 where k's are one apart and
    a_step is that of the rows. Meanwhile the lines of N from n0 on, n_k elements further for each k of a tile and n_t
    for each tile, come from memory into the second-level cache; they need not exist. C is written past the caches if it
    is `nontemporal`, in aligned vectors, a_columns is 0, and the columns fill both vectors.
    """
    kind = require_vectors("tile", C, I, A, B, N)
    n = types.intp
    signature = types.void(
        n,
        n,
        n,
        C,
        n,
        n,
        I,
        n,
        n,
        A,
        n,
        n,
        n,
        n,
        B,
        n,
        n,
        n,
        n,
        n,
        kind,
        n,
        N,
        n,
        n,
        n,
        types.boolean,
    )

    def codegen(context, builder, signature, values):
        at = dict(zip(_NAMES, values, strict=True))
        kinds = dict(zip(_NAMES, signature.args, strict=True))
        for name in "CIABN":
            start = at[name.lower() + "0"]
            at[name] = pointer_to(context, builder, kinds[name], at[name], start)
        passed = [at[name] for name in _NAMES[1:] if not name.endswith("0")]
        passed.append(int64(VECTOR_BITS // kind.bitwidth))
        emit_call(context, builder, at["address"], _brgemm_kinds(kind), passed)
        return context.get_dummy_value()

    return signature, codegen


_NAMES = (
    "address", "a_columns", "rows", "C", "c0", "ldc", "I", "i0", "i_m", "A", "a0", "a_i", "a_j", "a_step", "B", "b0",
    "ldb", "BATCH_I", "BATCH_J", "K", "floor", "columns", "N", "n0", "n_k", "n_t", "nontemporal",
)  # fmt: skip
