"""Sums of weighted rows, a vector of elements at a time."""

from contextlib import ExitStack

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64

_UNROLLED = 2, 4  # rows: those of larger images, and of their gradients, at twice the size


@emitted(x="ann", weights="a", rows="n", y="a", count="n", nontemporal="?")
def weighted_sum(v, x, weights, rows, y, count, nontemporal):
    """y[i] for i < count: the sum over r < rows of weights[r] x[r*step + i]; past the caches, if `nontemporal`.

    x   (array, start, step, how much further lies what is asked for with each element)
    """
    (x, step, ahead), b = x, v.builder

    def add(row, places, totals, mask):
        weight = v.splat(b.load(b.gep(weights, [row])))
        for i, total in zip(places, totals, strict=True):
            at = b.add(b.mul(row, step), i)
            v.prefetch(b.gep(x, [b.add(at, ahead)]), writing=False)
            value = v.load(b.gep(x, [at]), mask)
            b.store(v.fma(weight, value, b.load(total)), total)

    def summed(known):
        def sums(places, mask):
            totals = [cgutils.alloca_once_value(b, v.zero) for _ in places]
            if known:
                for row in range(known):
                    add(int64(row), places, totals, mask)
            else:
                with cgutils.for_range(b, rows) as row:
                    add(row.index, places, totals, mask)
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
