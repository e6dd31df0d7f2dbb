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

from numba_cnn.backends.cpu.codegen.arrays import lanes_of, shifted
from numba_cnn.backends.cpu.codegen.host import MASKS_ARE_FREE, REGISTERS, VECTOR_BITS
from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import int64, opaque

NR_VECTORS = 2  # vectors side by side in a full tile
# Accumulators, B's vectors and a broadcast or two fill the register file.
MR = 12 if REGISTERS == 32 else 6
# Rows of A that lie a multiple of so many vectors apart share a set of the first-level cache, which holds so many.
SAME_SET, WAYS = 4096 * 8 // VECTOR_BITS, 8


class BrgemmTile:
    """Emits one tile of `rows` x `vectors`; either a_m == 1 (`a_columns`) or a_k == 1 is known when it is emitted.

    Operands are groups of LLVM values: C (pointer, ldc), I (pointer, i_m), A (pointer, a_i, a_j, a_step), batch
    (BATCH_I, BATCH_J, K), epilogue (floor, nontemporal).
    """

    def __init__(self, v, rows, vectors, a_columns):
        self.b, self.v = v.builder, v
        self.rows, self.vectors, self.a_columns = rows, vectors, a_columns
        self.cells = [(m, n) for m in range(rows) for n in range(vectors)]

    def emit(self, C, I, A, B, batch, epilogue, ahead, tail):
        values = self.initial(I, C, epilogue[1], tail)
        values = self.sums(values, A, [B, ahead], batch)
        self.finish(values, C, epilogue, tail)

    def initial(self, I, C, nontemporal, tail):
        """The accumulators at first."""
        # Rows of C far apart are none that the processor foresees: they come from memory meanwhile.
        far = self.b.icmp_signed(">", C[1], int64(self.vectors * self.v.lanes))
        with self.b.if_then(self.b.and_(far, self.b.not_(nontemporal))):
            for m, n in self.cells:
                self.v.prefetch(self._at(C, m, n), writing=True)

        def load(mask):
            return {
                (m, n): self.v.load(self._at(I, m, n), mask if self._last(n) else None)
                for m, n in self.cells
            }

        return self.by_tail(tail, load)

    def sums(self, values, A, flows, batch):
        """The accumulators by (row, vector), from what they are at first.

        The flows are pairs of a pointer and how far each k takes it: the first is B; a second is prefetched.
        """
        (A, a_i, a_j, a_step), (BATCH_I, BATCH_J, K) = A, batch
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
        return [self.v.load(self._vector(pb, n)) for n in range(self.vectors)]

    def _loop(self, count, pointers, values, body):
        """for _ in range(count): pointers, values = body(pointers, values)."""
        n = len(pointers)

        def step(*flat):
            pointers, merged = body(flat[:n], dict(zip(values, flat[n:], strict=True)))
            return [*pointers, *merged.values()]

        flat = self.v.repeat(count, [*pointers, *values.values()], step)
        return flat[:n], dict(zip(values, flat[n:], strict=True))

    def finish(self, values, C, epilogue, tail):
        """Write the accumulators, past the caches if they are `nontemporal`."""
        floor, nontemporal = epilogue
        kept = self.activated(values, floor)

        def store(mask):
            for m, n in self.cells:
                self.v.store(kept[m, n], self._at(C, m, n), mask if self._last(n) else None)
            return {}

        with self.b.if_else(nontemporal) as (then, otherwise):
            with then:
                for m, n in self.cells:
                    self.v.store_nontemporal(kept[m, n], self._at(C, m, n))
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

    def _at(self, group, m, n):
        """The address of a row's vector n, of a group (pointer, elements from row to row)."""
        pointer, stride = group
        return self._vector(self.b.gep(pointer, [self.b.mul(stride, int64(m))]), n)

    def _vector(self, pointer, n):
        return self.b.gep(pointer, [int64(n * self.v.lanes)])


def by_count(builder, count, most, emit):
    """emit(n) in a case of its own for each n = 1 ... most that the count may be."""
    done = builder.append_basic_block("done")
    switch = builder.switch(count, done)
    for n in range(1, most + 1):
        block = builder.append_basic_block(f"of_{n}")
        switch.add_case(int64(n), block)
        builder.position_at_end(block)
        emit(n)
        builder.branch(done)
    builder.position_at_end(done)


def _tile(vectors, a_columns):
    """What picks the tile by its number of rows."""

    @emitted(
        rows="n", C="an", I="an", A="annn", B="pn", batch="nnn", epilogue="f?", ahead="pn", tail="n"
    )
    def tile(v, rows, C, I, A, B, batch, epilogue, ahead, tail):
        operands = C, I, A, B, batch, epilogue, ahead, tail

        def emit(m):
            BrgemmTile(v, m, vectors, a_columns).emit(*opaque(v.builder, operands))

        by_count(v.builder, rows, MR, emit)

    return tile


_rows_by_1, _rows_by_2 = _tile(1, False), _tile(2, False)
_columns_by_1, _columns_by_2 = _tile(1, True), _tile(2, True)

BY_ROWS, BY_COLUMNS = False, True  # the last field of A


@microkernel(shape="nn", batch="nnn", C="an", I="an", A="annn?", B="an", epilogue="f?", N="ann")
def brgemm(shape, batch, C, I, A, B, epilogue, N):
    """The sum above for any number of rows and at most a tile's columns, as tiles of nearly equal height.

    shape     (rows, columns)
    batch     (BATCH_I, BATCH_J, K)
    C, B      (array, start, ld)
    I         (array, start, i_m)
    A         (array, start, a_i, a_j, a_step, BY_ROWS or BY_COLUMNS): a_step is the rows', and k's are one element
              apart; or a_step is k's, and rows are one element apart
    epilogue  (floor, nontemporal): whether C is written past the caches, in aligned vectors; then A is BY_ROWS, and the
              columns fill both vectors
    N         (array, start, n_k, n_t): lines that meanwhile come from memory into the second-level cache, n_k elements
              further for each k of a tile and n_t for each tile; they need not exist

    All tiles stand behind this function's address, so that kernels need not be compiled with tiles of their own.
    """
    rows, columns = shape
    (c, ldc), (i, i_m), (a, a_i, a_j, a_step, a_columns) = C, I, A
    floor, nontemporal = epilogue
    ahead, ahead_k, ahead_t = N
    VL = lanes_of(c)
    aliased = not a_columns and a_step % (VL * SAME_SET) == 0
    count = -(-rows // (min(MR, WAYS) if aliased else MR))
    low, more = rows // count, rows % count
    m = 0
    for t in range(count):
        M = low + 1 if t < more else low
        Cm, Im = (c, m * ldc, ldc), (i, m * i_m, i_m)
        Am = a, (m if a_columns else m * a_step), a_i, a_j, a_step
        cached, later = (floor, False), (ahead, ahead_k)
        if a_columns and columns <= VL:
            _columns_by_1(M, Cm, Im, Am, B, batch, cached, later, columns)
        elif a_columns:
            _columns_by_2(M, Cm, Im, Am, B, batch, cached, later, columns - VL)
        elif columns <= VL:
            _rows_by_1(M, Cm, Im, Am, B, batch, cached, later, columns)
        else:
            _rows_by_2(M, Cm, Im, Am, B, batch, (floor, nontemporal), later, columns - VL)
        ahead = shifted(ahead, ahead_t)
        m += M
