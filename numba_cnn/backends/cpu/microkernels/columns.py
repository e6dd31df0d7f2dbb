"""What normalization does with columns, the channels, over rows: sums, and their transformations by one number each.

Rows are groups (array, start, elements from row to row), what a column has (array, start). Some vectors of columns go
over all rows before the next, in transformations over a block of them: their numbers stay in registers. What goes past
the caches is made row by row: memory is fastest in straight order.
"""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import SECOND_LEVEL
from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64

_BLOCK, _FEWEST = 1 << 12, 8  # elements, and rows, of a block
PREFETCHED = 4096  # bytes by which a pass over rows asks for them ahead: a page, where processors stop to look ahead


@emitted(x="an", rows="n", centre="a", sums="aa", columns="n")
def column_moments(v, x, rows, centre, sums, columns):
    """Of each column, the sum of its distances from its centre, and of their squares.

    sums   (of distances, of squares, start)
    """

    def terms(at, mask, middle):
        distance = v.builder.fsub(v.load(at(x), mask), middle)
        return [(distance, v.one), (distance, distance)]

    _sum_columns(v, rows, columns, [x], [centre], sums, terms)


@emitted(dy="an", x="an", rows="n", statistics="aa", sums="aa", columns="n")
def column_products(v, dy, x, rows, statistics, sums, columns):
    """Of each column, the sum of dy, and of dy times normalized x.

    statistics   (mean, inverse deviation, start)
    sums         (of dy, of the products, start)
    """
    b = v.builder

    def terms(at, mask, mean, inverse):
        slope = v.load(at(dy), mask)
        normal = b.fmul(b.fsub(v.load(at(x), mask), mean), inverse)
        return [(slope, v.one), (slope, normal)]

    _sum_columns(v, rows, columns, [dy, x], statistics, sums, terms)


@emitted(x="an", rows="n", numbers="aaa", y="an", columns="n", nontemporal="?", ahead="n")
def shift_columns(v, x, rows, numbers, y, columns, nontemporal, ahead):
    """y = (x - mean) scale + shift; past the caches, if `nontemporal`: then rows so far `ahead` are asked for, or, if
    that is 0, those a page further on.

    numbers   (mean, scale, shift, start)
    """

    def value(at, mask, mean, scale, shift):
        return v.fma(v.builder.fsub(v.load(at(x), mask), mean), scale, shift)

    _map_columns(v, rows, columns, [x], numbers, y, value, nontemporal, ahead)


@emitted(
    dy="an", x="an", rows="n", numbers="aaaa", dx="an", columns="n", nontemporal="?", ahead="n"
)
def gradient_columns(v, dy, x, rows, numbers, dx, columns, nontemporal, ahead):
    """dx = dy scale - ((x - mean) along + shift); past the caches, and `ahead`, as in shift_columns.

    numbers   (mean, scale, along, shift, start)
    """
    b = v.builder

    def value(at, mask, mean, scale, along, shift):
        rest = v.fma(b.fsub(v.load(at(x), mask), mean), along, shift)
        return b.fsub(b.fmul(v.load(at(dy), mask), scale), rest)

    _map_columns(v, rows, columns, [dy, x], numbers, dx, value, nontemporal, ahead)


@emitted(x="an", rows="n", mean="a", how="fff", y="an", columns="n", nontemporal="?", ahead="n")
def stretch_columns(v, x, rows, mean, how, y, columns, nontemporal, ahead):
    """y = mean + (x - mean) factor, no less than `low` and no more than `high`; past the caches, and `ahead`, as in
    shift_columns.

    how   (factor, low, high)
    """
    b, (factor, low, high) = v.builder, map(v.splat, how)

    def value(at, mask, middle):
        made = v.fma(b.fsub(v.load(at(x), mask), middle), factor, middle)
        made = b.select(b.fcmp_ordered("<", made, low), low, made)
        return b.select(b.fcmp_ordered(">", made, high), high, made)

    _map_columns(v, rows, columns, [x], [mean], y, value, nontemporal, ahead)


def _sum_columns(v, rows, columns, arrays, numbers, sums, terms):
    """Each of the sums of each column: of the products that terms(at, mask, *numbers) gives for a row of the arrays."""
    b = v.builder

    def emit(places, mask):
        given = [[v.load(b.gep(p, [c]), mask) for p in numbers] for c in places]
        totals = [[cgutils.alloca_once_value(b, v.zero) for _ in sums] for _ in places]
        with cgutils.for_range(b, rows) as row:
            _ask_for(v, arrays, row.index, places)
            for c, own, total in zip(places, given, totals, strict=True):
                products = terms(_at(b, row.index, c), mask, *own)
                for place, (left, right) in zip(total, products, strict=True):
                    old = b.load(place)
                    b.store(b.fadd(old, left) if right is v.one else v.fma(left, right, old), place)
        for c, totals_of_c in zip(places, totals, strict=True):
            for place, made in zip(totals_of_c, sums, strict=True):
                v.store(b.load(place), b.gep(made, [c]), mask)

    v.for_groups(columns, emit, most=4)


def _map_columns(v, rows, columns, arrays, numbers, y, value, nontemporal, ahead):
    """y = value(at, mask, *numbers) for each row of the arrays."""
    b = v.builder
    block = b.sdiv(int64(_BLOCK), columns)
    block = b.select(b.icmp_signed("<", block, int64(_FEWEST)), int64(_FEWEST), block)

    def numbers_of(c, mask):
        return [v.load(b.gep(p, [c]), mask) for p in numbers]

    def past(places, mask, row):
        _ask_for(v, arrays, row, places, ahead)
        for c in places:
            at = _at(b, row, c)
            v.store_nontemporal(value(at, mask, *numbers_of(c, mask)), at(y))

    def usual(places, mask, first, last):
        given = [numbers_of(c, mask) for c in places]
        with cgutils.for_range_slice(b, first, last, int64(1), intp=first.type) as (row, _):
            for c, own in zip(places, given, strict=True):
                at = _at(b, row, c)
                v.store(value(at, mask, *own), at(y), mask)

    with b.if_else(nontemporal) as (then, otherwise):
        with then, cgutils.for_range(b, rows) as row:
            v.for_groups(columns, lambda places, mask: past(places, mask, row.index), whole=True)
        with (
            otherwise,
            cgutils.for_range_slice(b, int64(0), rows, block, intp=rows.type) as (first, _),
        ):
            end = b.add(first, block)
            last = b.select(b.icmp_signed("<", end, rows), end, rows)
            v.for_groups(columns, lambda places, mask: usual(places, mask, first, last))


@noinline
def sample_ahead(x, columns, rows, arrays):
    """How far ahead rows are asked for: by all of a sample, where two of each of the arrays lie easily in a core's
    second cache, else 0."""
    held = 3 * arrays * rows * columns * x.itemsize <= SECOND_LEVEL
    return rows if held else 0


def rows_ahead(v, step):
    """How many rows, so many elements apart, lie PREFETCHED bytes further on; at least one."""
    return v.builder.add(v.builder.sdiv(int64(PREFETCHED // v.align), step), int64(1))


def _ask_for(v, arrays, row, places, ahead=None):
    """Prefetch the vectors of these columns in the row of each array, which need not exist, so far `ahead` of one; if
    that is None or 0, as far as rows_ahead says."""
    b = v.builder
    for array in arrays:
        further = rows_ahead(v, array[1])
        if ahead is not None:
            further = b.select(b.icmp_signed(">", ahead, int64(0)), ahead, further)
        v.prefetch_vectors([_at(b, b.add(row, further), c)(array) for c in places], level=1)


def _at(b, row, column):
    """The pointer of (array, step) to a row's column."""
    return lambda group: b.gep(group[0], [b.add(b.mul(row, group[1]), column)])
