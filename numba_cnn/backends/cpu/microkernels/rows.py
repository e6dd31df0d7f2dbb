"""What normalization does with a row by itself: its sums, and its transformation, two vectors at a time.

What lies in a row is a group (array, start). Long rows are summed in blocks, whose sums are added up.
"""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64

_BLOCK = 1024  # elements


@emitted(x="a", count="n", centre="f", sums="a")
def row_moments(v, x, count, centre, sums):
    """sums = (that of the distances from a centre, that of their squares) of `count` elements."""
    b, middle = v.builder, v.splat(centre)

    def terms(i, mask):
        distance = _kept(v, b.fsub(v.load(b.gep(x, [i]), mask), middle), mask)
        return [(distance, v.one), (distance, distance)]

    _sum_row(v, count, sums, terms)


@emitted(x="a", count="n", numbers="fff", scales="aa", y="a", nontemporal="?")
def shift_row(v, x, count, numbers, scales, y, nontemporal):
    """y = ((x - mean) scale + shift) gamma + beta; past the caches, if `nontemporal`.

    numbers   (mean, scale, shift)
    scales    (gamma, beta, start)
    """
    (mean, scale, shift), (gamma, beta), b = map(v.splat, numbers), scales, v.builder

    def value(i, mask):
        normal = v.fma(b.fsub(v.load(b.gep(x, [i]), mask), mean), scale, shift)
        factor, summand = (v.load(b.gep(p, [i]), mask) for p in (gamma, beta))
        return v.fma(normal, factor, summand)

    _map_row(v, count, y, value, nontemporal)


@emitted(dy="a", x="a", count="n", numbers="ff", gamma="a", totals="aa", sums="a")
def row_products(v, dy, x, count, numbers, gamma, totals, sums):
    """sums = (that of dy gamma, that of dy gamma times normalized x) of a row; dy, and dy times normalized x, are added
    to each column's totals.

    numbers   (mean, inverse deviation)
    totals    (of dy, of the products, start)
    """
    (mean, inverse), b = map(v.splat, numbers), v.builder
    of_slopes, of_products = totals

    def terms(i, mask):
        slope = v.load(b.gep(dy, [i]), mask)
        normal = b.fmul(b.fsub(v.load(b.gep(x, [i]), mask), mean), inverse)
        place = b.gep(of_slopes, [i])
        v.store(b.fadd(v.load(place, mask), slope), place, mask)
        place = b.gep(of_products, [i])
        v.store(v.fma(slope, normal, v.load(place, mask)), place, mask)
        scaled = b.fmul(slope, v.load(b.gep(gamma, [i]), mask))
        return [(scaled, v.one), (scaled, normal)]

    _sum_row(v, count, sums, terms)


@emitted(dy="a", x="a", count="n", numbers="ffff", gamma="a", dx="a", nontemporal="?")
def gradient_row(v, dy, x, count, numbers, gamma, dx, nontemporal):
    """dx = dy gamma scale - ((x - mean) along + shift); past the caches, if `nontemporal`.

    numbers   (mean, scale, along, shift)
    """
    (mean, scale, along, shift), b = map(v.splat, numbers), v.builder

    def value(i, mask):
        rest = v.fma(b.fsub(v.load(b.gep(x, [i]), mask), mean), along, shift)
        factor = b.fmul(v.load(b.gep(gamma, [i]), mask), scale)
        return b.fsub(b.fmul(v.load(b.gep(dy, [i]), mask), factor), rest)

    _map_row(v, count, dx, value, nontemporal)


def _sum_row(v, count, sums, terms):
    """The two sums of products that terms(i, mask) gives for a vector."""
    b = v.builder
    wholes = [cgutils.alloca_once_value(b, v.zero) for _ in range(2)]
    with cgutils.for_range_slice(b, int64(0), count, int64(_BLOCK), intp=count.type) as (start, _):
        left = b.sub(count, start)
        size = b.select(b.icmp_signed("<", left, int64(_BLOCK)), left, int64(_BLOCK))
        parts = [[cgutils.alloca_once_value(b, v.zero) for _ in range(2)] for _ in range(2)]

        def emit(places, mask):
            for i, part in zip(places, parts, strict=False):
                for place, (a, c) in zip(part, terms(b.add(start, i), mask), strict=True):
                    old = b.load(place)
                    b.store(b.fadd(old, a) if c is v.one else v.fma(a, c, old), place)

        v.for_groups(size, emit)
        for whole, *pair in zip(wholes, *parts, strict=True):
            both = b.fadd(*(b.load(place) for place in pair))
            b.store(b.fadd(b.load(whole), both), whole)
    for k, total in enumerate(v.totals(*map(b.load, wholes))):
        b.store(total, b.gep(sums, [int64(k)]))


def _map_row(v, count, y, value, nontemporal):
    def made(places, mask):
        return [(value(i, mask), v.builder.gep(y, [i])) for i in places]

    v.store_each(count, made, nontemporal)


def _kept(v, value, mask):
    """The vector, 0 in lanes that do not exist."""
    return value if mask is None else v.builder.select(mask, value, v.zero)
