"""The register tile where B is a row of gradients at each k: it gates them, adds them up for a bias, and leaves them
behind as the panel that the next tiles read, while the processor multiplies."""

from itertools import product

from llvmlite import ir

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.host import REGISTERS
from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import int64
from numba_cnn.backends.cpu.microkernels.brgemm import MR, BrgemmTile

NO = ir.Constant(ir.IntType(1), 0)
# The sums of the bias need registers too: with 16 of them it gains nothing.
PACKS_WHILE_MULTIPLYING = REGISTERS == 32


class _GatedTile(BrgemmTile):
    """Emits the tile of all MR."""

    def __init__(self, v, vectors, gated, tail):
        super().__init__(v, MR, vectors, True)
        self.gated, self.tail = gated, tail
        self.masks = [*(vectors - 1) * [None], self.v.mask(tail)]

    def emit_gated(self, C, I, A, dy, kept, batch, floor, ahead):
        v, across = self.v, int64(self.vectors * self.v.lanes)
        (dy, gate, row), (panel, sums) = dy, kept
        sums_at_first = {("sum", n): v.zero for n in range(self.vectors)}
        values = self.initial(I, C, NO, self.tail) | sums_at_first
        flows = (dy, row), (gate, row), (panel, across), ahead
        values = self.sums(values, A, flows, batch)
        for n, mask in enumerate(self.masks):
            at = self._vector(sums, n)
            v.store(self.b.fadd(v.load(at, mask), values.pop(("sum", n))), at, mask)
        self.finish(values, C, (floor, NO), self.tail)

    def _right(self, flows, values):
        b, v = self.b, self.v
        dy, gate, panel, ahead = flows
        v.prefetch(ahead, writing=False)
        right = []
        for n, mask in enumerate(self.masks):
            value = v.load(self._vector(dy, n), mask)
            if self.gated:
                gates = v.load(self._vector(gate, n), mask)
                value = b.select(b.fcmp_ordered(">", gates, v.zero), value, v.zero)
            v.store(value, self._vector(panel, n))
            values["sum", n] = b.fadd(values["sum", n], value)
            right.append(value)
        return right


def _tile(vectors, gated):
    @emitted(
        C="pn", I="pn", A="pnnn", dy="ppn", kept="pp", batch="nnn", floor="f", ahead="pn", tail="n"
    )
    def tile(v, C, I, A, dy, kept, batch, floor, ahead, tail):
        _GatedTile(v, vectors, gated, tail).emit_gated(C, I, A, dy, kept, batch, floor, ahead)

    return tile


_plain_1, _gated_1, _plain_2, _gated_2 = (_tile(*kind) for kind in product((1, 2), (False, True)))


@microkernel(
    columns="n",
    batch="nnn",
    C="an",
    I="an",
    A="annn",
    dy="aa?n",
    panel="a",
    sums="a",
    floor="f",
    N="an",
)
def brgemm_packing(columns, batch, C, I, A, dy, panel, sums, floor, N):
    """brgemm() for MR rows one element apart; its groups, with no word on how A lies and N without n_t, and these:

    dy      (array, gate, start, gated, d_row): B's rows are its, d_row elements apart, where the gate, if `gated`, has
            positive elements at the same places, else 0
    panel   (array, start): where they are left, filled up to whole vectors with zeros, for brgemm()
    sums    (array, start): += each column's sum
    """
    dy, gate, gated, row = dy
    VL = lanes_of(dy)
    rows, kept = (dy, gate, row), (panel, sums)
    if columns <= VL and gated:
        _gated_1(C, I, A, rows, kept, batch, floor, N, columns)
    elif columns <= VL:
        _plain_1(C, I, A, rows, kept, batch, floor, N, columns)
    elif gated:
        _gated_2(C, I, A, rows, kept, batch, floor, N, columns - VL)
    else:
        _plain_2(C, I, A, rows, kept, batch, floor, N, columns - VL)
