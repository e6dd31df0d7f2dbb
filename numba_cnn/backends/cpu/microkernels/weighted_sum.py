"""Sums of weighted rows, a vector of elements at a time."""

from contextlib import ExitStack

from llvmlite import ir
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64

_UNROLLED = 2, 4  # rows: those of larger images, and of their gradients, at twice the size


@emitted(x="an", weights="a", rows="n", y="a", count="n", nontemporal="?")
def weighted_sum(v, x, weights, rows, y, count, nontemporal):
    """y[i] for i < count: the sum over r < rows of weights[r] x[r*step + i]; past the caches, if `nontemporal`.

    x   (array, start, step)
    """
    _sum(v, x, weights, rows, y, count, nontemporal)


@emitted(x="an", weights="a", rows="n", y="a", count="n", ahead="n")
def weighted_rows(v, x, weights, rows, y, count, ahead):
    """weighted_sum of rows in memory: those that lie so much further ahead are asked for."""
    _sum(v, x, weights, rows, y, count, ir.Constant(ir.IntType(1), 0), ahead)


def _sum(v, x, weights, rows, y, count, nontemporal, ahead=None):
    """The sum; what lies `ahead` of its rows is asked for, if that is given."""
    (x, step), b = x, v.builder

    def weight_of(row):
        return v.splat(b.load(b.gep(weights, [row])))

    def add(row, weight, places, totals, mask):
        if ahead is not None:
            later = b.add(b.mul(row, step), ahead)
            v.prefetch_vectors([b.gep(x, [b.add(later, i)]) for i in places])
        for i, total in zip(places, totals, strict=True):
            at = b.add(b.mul(row, step), i)
            value = v.load(b.gep(x, [at]), mask)
            b.store(v.fma(weight, value, b.load(total)), total)

    def summed(known):
        given = [weight_of(int64(row)) for row in range(known or 0)]

        def sums(places, mask):
            totals = [cgutils.alloca_once_value(b, v.zero) for _ in places]
            for row, weight in enumerate(given):
                add(int64(row), weight, places, totals, mask)
            if not known:
                with cgutils.for_range(b, rows) as row:
                    add(row.index, weight_of(row.index), places, totals, mask)
            return [(b.load(total), b.gep(y, [i])) for i, total in zip(places, totals, strict=True)]

        v.store_each(count, sums, nontemporal)

    with ExitStack() as others:
        for known in _UNROLLED:
            is_it = b.icmp_signed("==", rows, int64(known))
            then, otherwise = others.enter_context(b.if_else(is_it))
            with then:
                summed(known)
            others.enter_context(otherwise)
        summed(None)
