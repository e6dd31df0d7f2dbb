"""The register tile with a 2x2 max pooling behind it: of two rows of sums, only the maxima are stored."""

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import int64, opaque
from numba_cnn.backends.cpu.microkernels.brgemm import MR, BrgemmTile, by_count

PIXELS = MR // 4  # of the output, in a full tile


class _PooledTile(BrgemmTile):
    """Emits the tile of `pixels` outputs: the sums of two rows of 2 * pixels, the second `a_pair` elements from the
    first."""

    def __init__(self, v, pixels, vectors):
        super().__init__(v, 4 * pixels, vectors, False)
        self.pixels = pixels

    def emit_pooled(self, y, bias, A, B, batch, floor, tail):
        (A, self.a_pair, a_i, a_j, a_step), (y, argmax, y_m) = A, y
        self._ask_below(A, a_i, batch[0])
        biases = self._biases(bias, tail)
        values = self.sums(biases, (A, a_i, a_j, a_step), [B], batch)
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
                self.v.store(best, self._at((y, y_m), q, n), kept)
                self.v.store_int(where, self._at((argmax, y_m), q, n), kept)
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
                self.v.load(self._vector(bias, n), mask if self._last(n) else None)
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


def _tile(vectors):
    """What picks the tile by its number of outputs."""

    @emitted(pixels="n", y="aun", bias="p", A="annnn", B="pn", batch="nnn", floor="f", tail="n")
    def tile(v, pixels, y, bias, A, B, batch, floor, tail):
        operands = y, bias, A, B, batch, floor, tail

        def emit(count):
            _PooledTile(v, count, vectors).emit_pooled(*opaque(v.builder, operands))

        by_count(v.builder, pixels, PIXELS, emit)

    return tile


_by_1, _by_2 = _tile(1), _tile(2)


@microkernel(shape="nn", batch="nnn", y="aun", bias="a", A="annnn", B="an", floor="f")
def brgemm_max_pool(shape, batch, y, bias, A, B, floor):
    """y[q*y_m + c], argmax alike, for q < pixels: the maximum, and its place, of 2x2 sums as brgemm() has them, with
    k's one element apart; as tiles of nearly equal width side by side.

    shape   (pixels, columns)
    batch   (BATCH_I, BATCH_J, K)
    y       (array, argmax, start, y_m)
    bias    (array, start): what the sums begin at
    A       (array, start, a_pair, a_i, a_j, a_step): the second row of a window lies a_pair elements further on
    B       (array, start, ldb)
    """
    pixels, columns = shape
    y, argmax, y_m = y
    A, a_pair, a_i, a_j, a_step = A
    VL = lanes_of(y)
    count = -(-pixels // PIXELS)
    low, more = pixels // count, pixels % count
    q = 0
    for t in range(count):
        wide = low + 1 if t < more else low
        yq, Aq = (y, argmax, q * y_m, y_m), (A, 2 * q * a_step, a_pair, a_i, a_j, a_step)
        if columns <= VL:
            _by_1(wide, yq, bias, Aq, B, batch, floor, columns)
        else:
            _by_2(wide, yq, bias, Aq, B, batch, floor, columns - VL)
        q += wide
