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
    sums_over,
)


@emitted(x="ann", shape="nn", count="f", y="a", channels="n", run="nnn")
def window_mean(v, x, shape, count, y, channels, run):
    """y[c] for c < channels: the sum of the pixels of a window, in row-major order, over `count`; of each window in a
    run.
    """
    (x, *steps), b = x, v.builder

    def emit(first, target, shape, places, mask):
        x_at, y_at = b.gep(x, [first]), b.gep(y, [target])
        if is_known(shape):
            prefetch_below(v, x_at, steps, shape, places)

        def pixel(row, column, c):
            return v.load(b.gep(x_at, [b.add(c, offset_of(b, row, column, *steps))]), mask)

        for c, total in zip(places, sums_over(v, shape, places, pixel), strict=True):
            v.store(b.fdiv(total, v.splat(count)), b.gep(y_at, [c]), mask)

    def window(*at):
        v.for_pairs(channels, partial(emit, *at))

    for_each_window(b, shape, run, window, unrolled=[(2, 2), (3, 3)])


@emitted(dy="ann", shape="nn", count="f", dx="a", channels="n", run="nnn", nontemporal="?")
def window_shares(v, dy, shape, count, dx, channels, run, nontemporal):
    """dx[c] for c < channels: the sum of dy / count of the windows of `shape` that hold a pixel; of each in a run; past
    the caches, if `nontemporal`.
    """
    (dy, *steps), b = dy, v.builder

    def sums(first, target, shape, places, mask):
        dy_at, dx_at = b.gep(dy, [first]), b.gep(dx, [target])
        if is_known(shape):
            prefetch(v, (dy_at,), steps, [(shape[0], 0)], places)

        def share(row, column, c):
            at = b.add(c, offset_of(b, row, column, *steps))
            return b.fdiv(v.load(b.gep(dy_at, [at]), mask), v.splat(count))

        totals = sums_over(v, shape, places, share)
        return [(total, b.gep(dx_at, [c])) for c, total in zip(places, totals, strict=True)]

    def pixel(*at):
        v.store_each(channels, partial(sums, *at), nontemporal)

    for_each_window(b, shape, run, pixel, unrolled=product((1, 2), repeat=2))
