"""What average pooling does with windows that are alike, a vector of channels at a time; groups are those of
max_pool.py.
"""

from functools import partial
from itertools import product

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.microkernels.windows import (
    for_each_window,
    is_known,
    offset_of,
    prefetch,
    prefetch_below,
    prefetch_rows,
    sums_over,
    vectors_of,
)


@emitted(x="ann", shape="nn", count="f", y="a", channels="n", run="nnn", nontemporal="?")
def window_mean(v, x, shape, count, y, channels, run, nontemporal):
    """y[c] for c < channels: the sum of the pixels of a window, in row-major order, times 1 / `count`; of each window
    in a run; past the caches, if `nontemporal`.
    """
    (x, *steps), b = x, v.builder
    part = v.splat(b.fdiv(count.type(1), count))

    def means(first, target, shape, places, mask):
        x_at, y_at = b.gep(x, [first]), b.gep(y, [target])
        if is_known(shape):
            prefetch_below(v, x_at, steps, shape, places)

        def pixel(row, column, c):
            if not is_known(shape) and c is places[0]:
                prefetch_rows(v, x_at, steps, row, column, places)
            return v.load(b.gep(x_at, [b.add(c, offset_of(b, row, column, *steps))]), mask)

        totals = zip(places, sums_over(v, shape, places, pixel), strict=True)
        return [(b.fmul(total, part), b.gep(y_at, [c])) for c, total in totals]

    def window(*at):
        v.store_each(channels, partial(means, *at), nontemporal, vectors_of(at[-1]))

    for_each_window(b, shape, run, window, unrolled=[(2, 2), (3, 3)])


@emitted(dy="ann", shape="nn", count="f", dx="a", channels="n", run="nnn", nontemporal="?")
def window_shares(v, dy, shape, count, dx, channels, run, nontemporal):
    """dx[c] for c < channels: the sum of dy of the windows of `shape` that hold a pixel, times 1 / `count`; of each in
    a run; past the caches, if `nontemporal`.
    """
    (dy, *steps), b = dy, v.builder
    part = v.splat(b.fdiv(count.type(1), count))

    def sums(first, target, shape, places, mask):
        dy_at, dx_at = b.gep(dy, [first]), b.gep(dx, [target])
        if is_known(shape):
            prefetch(v, (dy_at,), steps, [(shape[0], 0)], places)

        def gradient(row, column, c):
            at = b.add(c, offset_of(b, row, column, *steps))
            return v.load(b.gep(dy_at, [at]), mask)

        totals = zip(places, sums_over(v, shape, places, gradient), strict=True)
        return [(b.fmul(total, part), b.gep(dx_at, [c])) for c, total in totals]

    def pixel(*at):
        v.store_each(channels, partial(sums, *at), nontemporal)

    for_each_window(b, shape, run, pixel, unrolled=product((1, 2), repeat=2))
