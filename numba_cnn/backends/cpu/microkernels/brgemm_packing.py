"""The register tile where B is a row of gradients at each k: it gates them, adds them up for a bias, and leaves them
behind as the panel that the next tiles read, while the processor multiplies."""

from functools import cache
from itertools import product

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, emit_call
from numba_cnn.backends.cpu.codegen.host import REGISTERS, VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import int64, pointer_to, require_vectors
from numba_cnn.backends.cpu.microkernels.brgemm import MR, BrgemmTile

NO = ir.Constant(ir.IntType(1), 0)
# The sums of the bias need registers too: with 16 of them it gains nothing.
PACKS_WHILE_MULTIPLYING = REGISTERS == 32


class _GatedTile(BrgemmTile):
    """Emits the tile of all MR."""

    def __init__(self, builder, dtype, vectors, gated, tail):
        super().__init__(builder, dtype, MR, vectors, True)
        self.gated = gated
        self.masks = [*(vectors - 1) * [None], self.v.mask(tail)]

    def emit_gated(
        self, C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, tail, ahead,
        stride
    ):  # fmt: skip
        v, across = self.v, int64(self.vectors * self.v.lanes)
        sums_at_first = {("sum", n): v.zero for n in range(self.vectors)}
        values = self.initial(I, i_m, C, ldc, tail, NO) | sums_at_first
        flows = (dy, row), (gate, row), (panel, across), (ahead, stride)
        values = self.sums(values, A, a_i, a_j, a_step, flows, BATCH_I, BATCH_J, K)
        for n, mask in enumerate(self.masks):
            at = self._at(sums, int64(0), 0, n)
            v.store(self.b.fadd(v.load(at, mask), values.pop(("sum", n))), at, mask)
        self.finish(values, C, ldc, floor, tail, NO)

    def _right(self, flows, values):
        b, v = self.b, self.v
        dy, gate, panel, ahead = flows
        v.prefetch(ahead, writing=False)
        right = []
        for n, mask in enumerate(self.masks):
            value = v.load(self._at(dy, int64(0), 0, n), mask)
            if self.gated:
                gates = v.load(self._at(gate, int64(0), 0, n), mask)
                value = b.select(b.fcmp_ordered(">", gates, v.zero), value, v.zero)
            v.store(value, self._at(panel, int64(0), 0, n))
            values["sum", n] = b.fadd(values["sum", n], value)
            right.append(value)
        return right


def _emit(vectors, gated):
    @intrinsic
    def tile(
        typingctx, C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, tail,
        ahead, stride,
    ):  # fmt: skip
        signature = types.void(
            C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, tail, ahead,
            stride
        )  # fmt: skip

        def codegen(context, builder, signature, values):
            tail = values[-3]
            _GatedTile(builder, floor, vectors, gated, tail).emit_gated(*values)
            return context.get_dummy_value()

        return signature, codegen

    return tile


_plain_1, _gated_1, _plain_2, _gated_2 = (_emit(*kind) for kind in product((1, 2), (False, True)))


@by_address
def _gated_product(
    C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, gated, columns, ahead,
    stride, lanes,
):  # fmt: skip
    if columns <= lanes and gated:
        _gated_1(
            C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, columns, ahead,
            stride
        )  # fmt: skip
    elif columns <= lanes:
        _plain_1(
            C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor, columns, ahead,
            stride
        )  # fmt: skip
    elif gated:
        _gated_2(
            C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor,
            columns - lanes, ahead, stride,
        )  # fmt: skip
    else:
        _plain_2(
            C, ldc, I, i_m, A, a_i, a_j, a_step, dy, gate, row, panel, sums, BATCH_I, BATCH_J, K, floor,
            columns - lanes, ahead, stride,
        )  # fmt: skip


@cache
def brgemm_packing_address(dtype):
    """The address of the micro-kernel for a NumPy float type, compiled or read from the cache at the first call."""
    return address_of(_gated_product, _kinds(from_dtype(np.dtype(dtype))))


def _kinds(kind):
    p, n = types.CPointer(kind), types.intp
    return p, n, p, n, p, n, n, n, p, p, n, p, p, n, n, n, kind, types.boolean, n, p, n, n


@intrinsic
def brgemm_packing(
    typingctx, address, C, c0, ldc, I, i0, i_m, A, a0, a_i, a_j, a_step, dy, d0, gate, gated, d_row, panel, p0,
    sums, s0, BATCH_I, BATCH_J, K, floor, columns, N, n0, n_k,
):  # fmt: skip
    """brgemm() for MR rows one element apart; `address` comes from brgemm_packing_address().

    B's rows are those of dy, from d0 on and d_row elements apart, where gate, if `gated`, has positive elements at the
    same places, else 0. They are left at panel[p0:], filled up to whole vectors with zeros, for brgemm(); and
    sums[s0 + c] += each column's sum.
    """
    kind = require_vectors("gated_tile", C, I, A, dy, gate, panel, sums, N)
    n = types.intp
    signature = types.void(
        n, C, n, n, I, n, n, A, n, n, n, n, dy, n, gate, types.boolean, n, panel, n, sums, n, n, n, n, kind, n, N, n, n
    )  # fmt: skip

    def codegen(context, builder, signature, values):
        (
            address, C, c0, ldc, I, i0, i_m, A, a0, a_i, a_j, a_step, dy, d0, gate, gated, d_row, panel, p0, sums, s0,
            BATCH_I, BATCH_J, K, floor, columns, N, n0, n_k,
        ) = values  # fmt: skip
        kinds = signature.args

        def at(index, start):
            return pointer_to(context, builder, kinds[index], values[index], start)

        passed = [
            at(1, c0), ldc, at(4, i0), i_m, at(7, a0), a_i, a_j, a_step, at(12, d0), at(14, d0), d_row, at(17, p0),
            at(19, s0), BATCH_I, BATCH_J, K, floor, gated, columns, at(26, n0), n_k,
            int64(VECTOR_BITS // kind.bitwidth),
        ]  # fmt: skip
        emit_call(context, builder, address, _kinds(kind), passed)
        return context.get_dummy_value()

    return signature, codegen
