"""The register tile of few filters: dot products whose lanes are channels.

brgemm.py's lanes are filters, of which three would leave most of a vector empty. Here each
accumulator is one output's sum, spread over lanes that are added up at the end.
"""

from itertools import product
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.arrays import lanes_of, shifted
from numba_cnn.backends.cpu.codegen.host import L1_IS_48K, REGISTERS
from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import INT64, int64
from numba_cnn.backends.cpu.microkernels.copy import copy_row

SUMS = 24 if REGISTERS == 32 else 12  # accumulators; the filters and a pixel take other registers
PIXELS, FILTERS = 8, 4  # in a tile, at most
# Of 1, 2, ... filters.
MOST_PIXELS = tuple(min(PIXELS, SUMS // (n + 1)) for n in range(FILTERS))
# Vectors that are multiplied between two branches, where a row has a multiple of it: with AVX-512, three taps of 32
# channels.
UNROLL = 6
# Bytes from the tile to the later pixels that it asks for, at least, and which level of cache they come to: a roomy
# first one keeps what comes early.
AHEAD = ((6144, 1),) if L1_IS_48K else ((2048, 1), (10240, 2))
# A shorter distance for rings that fit into an L1 of 48 KiB, which an earlier prefetch would evict; and their size.
AROUND_RING, HELD = 4096, 32 << 10
LINES = 4  # that it asks for between two branches, where there are no sixes; vectors that it gates likewise


class _Place(NamedTuple):
    """What a tile is computed from, see dot_products(); pointers are to its first pixel and filter."""

    sums: tuple  # I, J, K
    y: tuple
    bias: Any
    A: tuple
    B: tuple
    floor: Any
    later: Any
    gates: Any


class _Dots:
    """Emits a tile of `pixels` x `filters`."""

    def __init__(self, v, pixels, filters):
        self.b, self.v = v.builder, v
        self.pixels, self.filters = pixels, filters
        self.cells = [(m, n) for m in range(pixels) for n in range(filters)]

    def emit(self, place):
        b, v, (I, J, K) = self.b, self.v, place.sums
        self.place = place
        A, self.a_i, self.a_j, self.a_m, end, self.ring = place.A
        B, every = place.B
        self.new = b.mul(self.a_m, int64(self.pixels))  # elements that the tile asks for
        self.step = b.mul(every, int64(v.lanes))
        self.last = b.gep(A, [end])
        # The sums begin with the bias in their first lane.
        start = [
            v.load(b.gep(place.bias, [int64(n)]), v.mask(int64(1))) for n in range(self.filters)
        ]
        lead = self._lead()
        first = [A, B, lead, *(start[n] for _, n in self.cells)]
        in_sixes = b.icmp_signed("==", b.urem(K, int64(UNROLL * v.lanes)), int64(0))
        in_sixes = b.and_(in_sixes, b.icmp_signed("==", J, int64(1)))
        # A line is prefetched with each vector: enough, unless pixels are further apart or rows fewer.
        in_sixes = b.and_(in_sixes, b.icmp_signed(">=", b.mul(I, K), self.new))
        with b.if_else(in_sixes) as (then, otherwise):
            with then:
                self._finish(v.repeat(I, first, self._row_of_sixes())[3:])
            with otherwise:
                self._finish(v.repeat(I, first, self._row(lead))[3:])

    def _lead(self):
        """How far behind the tile's own pixels later ones are prefetched, in elements."""
        b, (nearest, _) = self.b, AHEAD[0]
        usual, around = (int64(n // self.v.align) for n in (nearest, min(nearest, AROUND_RING)))
        is_held = b.icmp_signed("<=", self.ring, int64(HELD // self.v.align))
        lead = b.sub(b.select(is_held, around, usual), self.new)
        return b.select(b.icmp_signed("<", lead, int64(0)), int64(0), lead)

    def _row_of_sixes(self):
        """What is repeated with each row of windows that are a multiple of six vectors wide, and without steps."""
        v = self.v
        sixes = self.b.udiv(self.place.sums[2], int64(UNROLL * v.lanes))

        def over_six(pa, pb, *sums):
            for _ in range(UNROLL):
                pa, pb, *sums = self._vector(pa, pb, *sums)
            return [pa, pb, *sums]

        def over_i(pa, pb, ahead, *sums):
            (ahead,) = v.repeat(sixes, [ahead], lambda ahead: self._prefetch(ahead, UNROLL))
            _, pb, *sums = v.repeat(sixes, [pa, pb, *sums], over_six)
            return [self._row_below(pa), pb, ahead, *sums]

        return over_i

    def _row(self, lead):
        """What is repeated with each row of other windows."""
        b, v, (I, J, K) = self.b, self.v, self.place.sums
        whole = b.udiv(b.sub(K, int64(1)), int64(v.lanes))
        tail = v.mask(b.sub(K, b.mul(whole, int64(v.lanes))))
        # Later pixels come a part with each row, since the cache asks for so many lines at once only.
        all_new, some = b.add(lead, self.new), LINES * v.lanes
        part = b.sdiv(self.new, b.select(b.icmp_signed("<", I, int64(1)), int64(1), I))
        part = b.and_(b.add(part, int64(some - 1)), int64(-some))

        def over_j(pa, pb, *sums):
            rest, pb, *sums = v.repeat(whole, [pa, pb, *sums], self._vector)
            return [
                b.gep(pa, [self.a_j]),
                b.gep(pb, [self.step]),
                *self._products(rest, pb, sums, tail),
            ]

        def over_i(pa, pb, ahead, *sums):
            prefetched = b.add(ahead, part)
            stop = b.select(b.icmp_signed("<", prefetched, all_new), prefetched, all_new)
            with cgutils.for_range_slice(b, ahead, stop, int64(some), intp=INT64) as (i, _):
                self._prefetch(i, LINES)
            _, pb, *sums = v.repeat(J, [pa, pb, *sums], over_j)
            return [self._row_below(pa), pb, prefetched, *sums]

        return over_i

    def _vector(self, pa, pb, *sums):
        """What is repeated with each whole vector of channels."""
        sums = self._products(pa, pb, sums, None)
        return [self.b.gep(pa, [int64(self.v.lanes)]), self.b.gep(pb, [self.step]), *sums]

    def _products(self, pa, pb, sums, mask):
        b, v = self.b, self.v
        right = [v.load(b.gep(pb, [int64(n * v.lanes)])) for n in range(self.filters)]
        sums = dict(zip(self.cells, sums, strict=True))
        for m in range(self.pixels):
            left = v.load(b.gep(pa, [b.mul(self.a_m, int64(m))]), mask)
            for n in range(self.filters):
                sums[m, n] = v.fma(left, right[n], sums[m, n])
        return sums.values()

    def _row_below(self, pa):
        b = self.b
        below = b.gep(pa, [self.a_i])
        around = b.gep(below, [b.neg(self.ring)])
        return b.select(b.icmp_unsigned(">=", below, self.last), around, below)

    def _prefetch(self, ahead, lines):
        """Ask for so many lines of later pixels and of their gates, from `ahead` on."""
        b, v, (nearest, _) = self.b, self.v, AHEAD[0]
        for k, pointer in product(range(lines), (self.place.later, self.place.gates)):
            near = b.gep(pointer, [b.add(ahead, int64(k * v.lanes))])
            for distance, level in AHEAD:
                further = int64((distance - nearest) // v.align)
                v.prefetch(b.gep(near, [further]), writing=False, level=level)
        return [b.add(ahead, int64(lines * v.lanes))]

    def _finish(self, sums):
        b, v, (y, y_m) = self.b, self.v, self.place.y
        low = v.splat(self.place.floor)
        for start in range(0, len(sums), v.lanes):
            cells = self.cells[start : start + v.lanes]
            value = self._added(sums[start : start + v.lanes])
            value = b.select(b.fcmp_ordered("<", value, low), low, value)
            side_by_side = b.icmp_signed("==", y_m, int64(self.filters))
            with b.if_else(side_by_side) as (then, otherwise):
                with then:
                    mask = None if len(cells) == v.lanes else v.mask(int64(len(cells)))
                    v.store(value, b.gep(y, [int64(start)]), mask)
                with otherwise:
                    for lane, (m, n) in enumerate(cells):
                        place = b.gep(y, [b.add(b.mul(y_m, int64(m)), int64(n))])
                        b.store(b.extract_element(value, int64(lane)), place)

    def _added(self, sums):
        """The sums of the lanes of some vectors, one in each lane."""
        b, v = self.b, self.v
        lanes = range(v.lanes)
        rows = [
            (value, [i] * v.lanes) for i, value in enumerate(sums)
        ]  # and whose sum a lane is of
        distance = v.lanes // 2
        while distance:
            # Lanes with the bit become those of the second of a pair, and each is added to its neighbour.
            half = -(-len(rows) // 2)
            pairs = [(rows[i], rows[min(i + half, len(rows) - 1)]) for i in range(half)]
            kept = [lane + v.lanes * bool(lane & distance) for lane in lanes]
            moved = [lane ^ distance for lane in kept]
            rows = [
                (
                    b.fadd(v.shuffle(one, two, kept), v.shuffle(one, two, moved)),
                    [(first + second)[lane] for lane in kept],
                )
                for (one, first), (two, second) in pairs
            ]
            distance //= 2
        ((value, owners),) = rows
        places = [owners.index(i) for i in range(len(sums))]
        return v.shuffle(value, value, places + [0] * (v.lanes - len(places)))


@emitted(
    shape="nn", sums="nnn", y="pn", bias="p", A="pnnnnn", B="pn", floor="f", later="ppnn", kept="p"
)
def _tiles(v, shape, sums, y, bias, A, B, floor, later, kept):
    """Tiles of all that fit of some pixels, or of one, and of so many filters; the last may overlap the one before.

    Before each, what lies left of it is gated: no tile reads that again. Each size of tiles has a loop of its own, and
    no loop around it, since LLVM computes before all loops whatever of a tile does not change.
    """
    b, (count, filters), (y, y_m), (A, *strides) = v.builder, shape, y, A
    (later, gates, *bounds), a_m = later, strides[2]

    def emit(tile):
        pixels, last = int64(tile.pixels), b.sub(count, int64(tile.pixels))
        with cgutils.for_range_slice(b, int64(0), count, pixels, intp=INT64) as (i, _):
            m = b.select(b.icmp_signed("<", i, last), i, last)
            at = b.mul(m, a_m)
            gated = _within(b, b.mul(b.sub(i, pixels), a_m), bounds)
            _emit_gate(v, (later, gates, gated, _within(b, at, bounds)), kept)
            pixel, output = (b.gep(A, [at]), *strides), (b.gep(y, [b.mul(m, y_m)]), y_m)
            asked = b.gep(later, [at]), b.gep(gates, [at])
            tile.emit(_Place(sums, output, bias, pixel, B, floor, *asked))

    for some, most in enumerate(MOST_PIXELS, 1):
        fits = b.icmp_signed(">=", count, int64(most))
        with b.if_then(b.icmp_signed("==", filters, int64(some))), b.if_else(fits) as branches:
            for branch, pixels in zip(branches, (most, 1), strict=True):
                with branch:
                    emit(_Dots(v, pixels, some))


def _within(b, element, bounds):
    start, stop = bounds
    element = b.select(b.icmp_signed("<", element, stop), element, stop)
    return b.select(b.icmp_signed(">", element, start), element, start)


@emitted(x="ppnn", target="p")
def _gate(v, x, target):
    """target[i] = x[i] if gate[i] > 0 else 0, for start <= i < stop; x is (array, gate, start, stop)."""
    _emit_gate(v, x, target)


def _emit_gate(v, x, target):
    b, (x, gate, start, stop) = v.builder, x
    pointers = [b.gep(pointer, [start]) for pointer in (x, gate, target)]
    count = b.sub(stop, start)
    copy_row(v, pointers, ir.Constant(ir.IntType(1), 1), count, count, together=LINES)


@microkernel(
    shape="nnn", sums="nnn", y="an", bias="a", A="annnnn", B="an", floor="f", later="aann", kept="a"
)
def dot_products(shape, sums, y, bias, A, B, floor, later, kept):
    """y[m*y_m + n] = max(bias[n] + sum over i < I, j < J, k < K of A[i*a_i + j*a_j + m*a_m + k] * B, floor)

    shape   (count, first, filters): for m < count and first <= n < first + filters, which are FILTERS or fewer
    sums    (I, J, K)
    y       (array, start, y_m)
    bias    (array, start)
    A       (array, start, a_i, a_j, a_m, end, ring): its rows may lie in a ring of so many elements: from `end` on,
            counted from the start, they go on where it begins
    B       (array, start, every): for each i, j and vector of k one vector for each of `every` filter; zeros fill up
            the last
    later   (array, gates, start, first element, last element): meanwhile as many pixels of both, which need not exist,
            come from memory towards the first-level cache, as far apart
    kept    (array, start): where the row of the ring begins which, once A's first row is summed, gets those elements of
            the later pixels, and 0 where the gates are not positive
    """
    count, first, filters = shape
    y, y_m = y
    B, every = B
    x, gates, start, stop = later
    tile = shifted(B, first * lanes_of(B)), every
    _tiles(
        (count, filters), sums, (shifted(y, first), y_m), shifted(bias, first), A, tile, floor, later, kept
    )  # fmt: skip
    most = MOST_PIXELS[filters - 1]
    last = (count - most if count >= most else count - 1) * A[3]
    _gate((x, gates, max(start, min(last, stop)), stop), kept)
