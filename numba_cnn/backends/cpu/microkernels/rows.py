"""What normalization does with rows, each by itself: its sums, its statistics, and its transformation.

Rows are groups (array, start, elements from row to row), what a column has is (array, start). Short rows go some
together: their sums through one tree of additions, their deviations through one vector, and what columns have is loaded
once. Long ones go alone, and are summed in blocks, whose sums are added up.
"""

from itertools import chain

from llvmlite import ir
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int32, int64, opaque
from numba_cnn.backends.cpu.microkernels.columns import PREFETCHED

TOGETHER = 4  # rows
_SHORT = 128  # elements of a row that does not go alone, at most
_BLOCK = 1024  # elements of a long row that are summed by themselves


@emitted(
    x="an",
    rows="n",
    columns="nn",
    epsilon="f",
    scales="aa",
    y="an",
    statistics="aan",
    nontemporal="?",
)
def normalize_rows(v, x, rows, columns, epsilon, scales, y, statistics, nontemporal):
    """y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, of each row; past the caches, if `nontemporal`.

    Sums are of distances from a centre, the mean of a row's first elements. Where those are unlike all others, the
    variance loses as many roundings as a row has elements for each of them.

    columns      (how many, how many of the first ones)
    scales       (gamma, beta, start)
    statistics   (mean, inverse deviation, start, elements from row to row)
    """
    b, (columns, sample), (*kept, step) = v.builder, columns, statistics

    def emit(row, count):
        pointers = [[_row_of(b, x, b.add(row, int64(r)))] for r in range(count)]
        centres = _centres(v, pointers, sample)
        middles = [v.splat(b.load(place)) for place in centres]
        sums = _sums(v, columns, pointers, _moments(v, pointers, middles))
        own = _Small(v, count)
        mean, inverse, shift = own.statistics(
            own.packed(map(b.load, centres)), *sums, columns, epsilon
        )
        for made, array in zip((mean, inverse), kept, strict=True):
            for r in range(count):
                place = b.mul(b.add(row, int64(r)), step)
                b.store(b.extract_element(made, int32(r)), b.gep(array, [place]))
        numbers = list(zip(middles, own.splats(inverse), own.splats(shift), strict=True))

        def value(r, i, mask, gamma, beta):
            middle, scale, shift = numbers[r]
            distance = b.fsub(v.load(b.gep(*pointers[r], [i]), mask), middle)
            return v.fma(v.fma(distance, scale, shift), gamma, beta)

        _write_rows(v, (row, count, columns), scales, y, value, nontemporal)

    _in_groups(v, rows, columns, emit)


@emitted(
    dy="an",
    x="an",
    rows="n",
    columns="n",
    statistics="aan",
    gamma="a",
    totals="aa",
    dx="an",
    nontemporal="?",
)
def gradient_rows(v, dy, x, rows, columns, statistics, gamma, totals, dx, nontemporal):
    """dx = the gradient of normalize_rows, past the caches, if `nontemporal`; dy, and dy times normalized x, are added
    to each column's totals.

    statistics   (mean, inverse deviation, start, elements from row to row)
    totals       (of dy, of the products, start)
    """
    b = v.builder

    def emit(row, count):
        at = [b.add(row, int64(r)) for r in range(count)]
        pointers = [[_row_of(b, array, r) for array in (dy, x)] for r in at]
        own, (mean, inverse, step) = _Small(v, count), statistics
        middles, scales = (
            [b.load(b.gep(array, [b.mul(r, step)])) for r in at] for array in (mean, inverse)
        )
        given = [(v.splat(m), v.splat(s)) for m, s in zip(middles, scales, strict=True)]
        sums = _sums(v, columns, pointers, _products(v, pointers, given, gamma, totals))
        scale = own.packed(scales)
        part = b.fdiv(scale, own.splat(b.sitofp(columns, v.element)))
        shift, along = (b.fmul(part, total) for total in sums)
        numbers = list(zip(given, own.splats(b.fmul(along, scale)), own.splats(shift), strict=True))

        def value(r, i, mask, factor):
            (middle, scale), along, shift = numbers[r]
            slope, place = (v.load(b.gep(p, [i]), mask) for p in pointers[r])
            rest = v.fma(b.fsub(place, middle), along, shift)
            return b.fsub(b.fmul(slope, b.fmul(factor, scale)), rest)

        _write_rows(v, (row, count, columns), (gamma,), dx, value, nontemporal)

    _in_groups(v, rows, columns, emit)


class _Small:
    """Operations on one number for each of some rows, which a short vector holds."""

    def __init__(self, v, count):
        self.v, self.b, self.count = v, v.builder, count
        self.kind = ir.VectorType(v.element, count)
        self.double = ir.VectorType(ir.DoubleType(), count)

    def packed(self, scalars):
        value = ir.Constant(self.kind, ir.Undefined)
        for lane, scalar in enumerate(scalars):
            value = self.b.insert_element(value, scalar, int32(lane))
        return value

    def splat(self, scalar, kind=None):
        return self.v.splat(scalar, kind or self.kind)

    def splats(self, value):
        """A whole vector for each number."""
        undefined = ir.Constant(value.type, ir.Undefined)
        for lane in range(self.count):
            yield self.v.shuffle(value, undefined, [lane] * self.v.lanes)

    def statistics(self, centre, distances, squares, columns, epsilon):
        """(mean, 1 / deviation, minus their product less that of the centre), computed in float64."""
        b, zero = self.b, ir.Constant(self.double, [0.0] * self.count)
        centre, distances, squares = map(self._widened, (centre, distances, squares))
        one = ir.Constant(ir.DoubleType(), 1.0)
        part = self.splat(b.fdiv(one, b.sitofp(columns, one.type)), self.double)
        rest = b.fmul(distances, part)
        variance = b.fsub(b.fmul(squares, part), b.fmul(rest, rest))
        variance = b.select(b.fcmp_ordered("<", variance, zero), zero, variance)  # NaN stays
        variance = b.fadd(variance, self._widened(self.splat(epsilon)))
        deviation = self.v.call("sqrt", self.double, [variance], self.double)
        inverse = b.fdiv(self.splat(one, self.double), deviation)
        made = b.fadd(centre, rest), inverse, b.fneg(b.fmul(rest, inverse))
        return [b.fptrunc(value, self.kind) if self._is_narrow else value for value in made]

    @property
    def _is_narrow(self):
        return self.kind.element != ir.DoubleType()

    def _widened(self, value):
        return self.b.fpext(value, self.double) if self._is_narrow else value


def _in_groups(v, rows, columns, emit):
    """emit(row, count) for as many rows at a time as go together, then for each that is left."""
    b, first = v.builder, int64(0)
    short = b.icmp_signed("<=", columns, int64(_SHORT))
    for count in (min(TOGETHER, v.lanes), 1):
        last = b.add(first, b.and_(b.sub(rows, first), int64(-count)))
        if count > 1:
            last = b.select(short, last, first)
        with cgutils.for_range_slice(b, first, last, int64(count), intp=rows.type) as (row, _):
            emit(opaque(b, row), count)
        first = last


def _centres(v, pointers, sample):
    """Places of the mean of each row's first elements, of which there is at least one."""
    b = v.builder
    places = [cgutils.alloca_once_value(b, b.load(*row)) for row in pointers]
    with b.if_then(b.icmp_signed(">", sample, int64(1)), likely=False):
        firsts = [v.splat(b.load(place)) for place in places]
        distances, _ = _sums(v, sample, pointers, _moments(v, pointers, firsts))
        count = b.sitofp(sample, v.element)
        for r, place in enumerate(places):
            rest = b.fdiv(b.extract_element(distances, int32(r)), count)
            b.store(b.fadd(b.load(place), rest), place)
    return places


def _moments(v, pointers, centres):
    """For _sums: distances from the centres, and their squares."""
    b = v.builder

    def terms(i, mask):
        for row, centre in zip(pointers, centres, strict=True):
            distance = b.fsub(v.load(b.gep(*row, [i]), mask), centre)
            distance = distance if mask is None else b.select(mask, distance, v.zero)
            yield from ((distance, v.one), (distance, distance))

    return terms


def _products(v, pointers, statistics, gamma, totals):
    """For _sums: dy gamma, and that times normalized x; both without gamma are added to the totals of columns."""
    b = v.builder

    def terms(i, mask):
        factor = v.load(b.gep(gamma, [i]), mask)
        of_slopes = of_products = None
        for row, (mean, inverse) in zip(pointers, statistics, strict=True):
            slope, place = (v.load(b.gep(p, [i]), mask) for p in row)
            normal = b.fmul(b.fsub(place, mean), inverse)
            if of_slopes is None:
                of_slopes, of_products = slope, b.fmul(slope, normal)
            else:
                of_slopes, of_products = b.fadd(of_slopes, slope), v.fma(slope, normal, of_products)
            scaled = b.fmul(slope, factor)
            yield from ((scaled, v.one), (scaled, normal))
        for made, array in zip((of_slopes, of_products), totals, strict=True):
            pointer = b.gep(array, [i])
            v.store(b.fadd(v.load(pointer, mask), made), pointer, mask)

    return terms


def _sums(v, columns, pointers, terms):
    """The two sums of each row, as two short vectors: of the products that terms(i, mask) gives, two for each row.

    A row that goes alone is summed in two vectors, which take turns.
    """
    b, alone = v.builder, len(pointers) == 1

    def zeros(count):
        return [cgutils.alloca_once_value(b, v.zero) for _ in range(count)]

    wholes = zeros(2 * len(pointers))
    with cgutils.for_range_slice(b, int64(0), columns, int64(_BLOCK), intp=columns.type) as (c, _):
        left = b.sub(columns, c)
        size = b.select(b.icmp_signed("<", left, int64(_BLOCK)), left, int64(_BLOCK))
        parts = [zeros(2 * len(pointers)) for _ in range(1 + alone)]

        def emit(places, mask):
            for k, i in enumerate(places):
                products = terms(b.add(c, i), mask)
                for place, (one, other) in zip(parts[k % len(parts)], products, strict=True):
                    old = b.load(place)
                    b.store(b.fadd(old, one) if other is v.one else v.fma(one, other, old), place)
            ahead = b.add(c, int64(PREFETCHED // v.align))
            for pointer in chain(*pointers):
                v.prefetch_vectors([b.gep(pointer, [b.add(ahead, i)]) for i in places], level=1)

        v.for_groups(size, emit)
        for part in parts:
            for whole, place in zip(wholes, part, strict=True):
                b.store(b.fadd(b.load(whole), b.load(place)), whole)
    return [v.totals([b.load(place) for place in wholes[k::2]]) for k in range(2)]


def _write_rows(v, shape, arrays, y, value, nontemporal):
    """y = value(r, i, mask, *what the arrays have for these columns) of the r-th of the rows that go together."""
    b, (first, count, columns) = v.builder, shape
    out = [_row_of(b, y, b.add(first, int64(r))) for r in range(count)]

    def made(places, mask):
        given = [[v.load(b.gep(array, [i]), mask) for array in arrays] for i in places]
        for r, pointer in enumerate(out):
            for i, numbers in zip(places, given, strict=True):
                yield value(r, i, mask, *numbers), b.gep(pointer, [i])

    v.store_each(columns, made, nontemporal)


def _row_of(b, array, row):
    """The pointer to a row of (pointer, elements from row to row)."""
    pointer, step = array
    return b.gep(pointer, [b.mul(row, step)])
