"""Sums of weighted rows, a vector of elements at a time."""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted


@emitted(x="an", weights="a", rows="n", y="a", count="n", nontemporal="?")
def weighted_sum(v, x, weights, rows, y, count, nontemporal):
    """y[i] for i < count: the sum over r < rows of weights[r] x[r*step + i]; past the caches, if `nontemporal`.

    x   (array, start, step)
    """
    (x, step), b = x, v.builder

    def sums(places, mask):
        totals = [cgutils.alloca_once_value(b, v.zero) for _ in places]
        with cgutils.for_range(b, rows) as row:
            weight = v.splat(b.load(b.gep(weights, [row.index])))
            offset = b.mul(row.index, step)
            for i, total in zip(places, totals, strict=True):
                value = v.load(b.gep(x, [b.add(offset, i)]), mask)
                b.store(v.fma(weight, value, b.load(total)), total)
        return [(b.load(total), b.gep(y, [i])) for i, total in zip(places, totals, strict=True)]

    v.store_each(count, sums, nontemporal)
