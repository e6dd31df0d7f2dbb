"""What max pooling does with windows that are alike, and with pixels, a vector of channels at a time.

Windows are groups (array, start, row step, column step), their shape (rows, columns); `channels` elements lie side by
side. A place in a window counts up by 1 a column, and by a step of its own a row. Runs are those of windows.py.
"""

from functools import partial
from itertools import product

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64
from numba_cnn.backends.cpu.microkernels.windows import (
    for_each_pixel,
    for_each_window,
    is_known,
    offset_of,
    prefetch,
    prefetch_below,
    prefetch_rows,
    sums_over,
    variable,
    vectors_of,
)


@emitted(x="ann", shape="nn", place="nn", y="au", channels="n", run="nnn")
def window_max(v, x, shape, place, y, channels, run):
    """y[c], argmax[c] for c < channels: the first maximum of a window, and its place; of each window in a run.

    place   (of the window's first pixel, step from row to row)
    y       (array, argmax, start)
    """
    (x, *steps), (y, argmax) = x, y
    b = v.builder

    def emit(first, target, shape, places, mask):
        x_at, y_at, argmax_at = b.gep(x, [first]), b.gep(y, [target]), b.gep(argmax, [target])
        if is_known(shape):
            prefetch_below(v, x_at, steps, shape, places)
        best = [variable(b, v.load(b.gep(x_at, [c]), mask)) for c in places]
        where = [variable(b, v.splat_int(place[0])) for _ in places]

        def compare(row, column):
            if not is_known(shape):
                prefetch_rows(v, x_at, steps, row, column, places)
            offset = offset_of(b, row, column, *steps)
            here = v.splat_int(_place(b, place, row, column))
            for c, largest, at in zip(places, best, where, strict=True):
                value, old = v.load(b.gep(x_at, [b.add(c, offset)]), mask), b.load(largest)
                better = v.larger(value, old)
                b.store(b.select(better, value, old), largest)
                b.store(b.select(better, here, b.load(at)), at)

        for_each_pixel(b, shape, compare)
        for c, largest, at in zip(places, best, where, strict=True):
            v.store(b.load(largest), b.gep(y_at, [c]), mask)
            v.store_int(b.load(at), b.gep(argmax_at, [c]), mask)

    def window(first, target, shape):
        v.for_groups(channels, partial(emit, first, target, shape), vectors_of(shape))

    for_each_window(b, shape, run, window, unrolled=[(3, 3)])


@emitted(x="ann", y="au", channels="n", nontemporal="?")
def square_max(v, x, y, channels, nontemporal):
    """window_max of 2x2 pixels, their places 0 to 3; y past the caches, if `nontemporal`."""
    b, pixels, (y, argmax) = v.builder, _square(v, x), y
    later = b.mul(x[1], int64(2))  # to the next pair of rows

    def emit(c, mask, nontemporal=False):
        for p in pixels:
            v.prefetch(b.gep(p, [b.add(c, later)]), writing=False)
        best, where = v.first_maximum([v.load(b.gep(p, [c]), mask) for p in pixels])
        if nontemporal:
            v.store_nontemporal(best, b.gep(y, [c]))
        else:
            v.store(best, b.gep(y, [c]), mask)
        v.store_int(where, b.gep(argmax, [c]), mask)

    with b.if_else(nontemporal) as (then, otherwise):
        with then, v.steps(int64(0), channels) as (c, _):
            emit(c, None, nontemporal=True)
        with otherwise:
            v.for_each(channels, emit)


@emitted(dy="au", dx="ann", channels="n")
def square_spread(v, dy, dx, channels):
    """window_spread of 2x2 pixels, past the caches; dx is aligned and channels fill whole vectors."""
    b, pixels, (dy, argmax) = v.builder, _square(v, dx), dy
    with v.steps(int64(0), channels) as (c, _):
        value, where = v.load(b.gep(dy, [c])), v.load_int(b.gep(argmax, [c]))
        for place, pixel in enumerate(pixels):
            chosen = b.icmp_signed("==", where, v.splat_int(int64(place)))
            v.store_nontemporal(b.select(chosen, value, v.zero), b.gep(pixel, [c]))


@emitted(dy="au", place="nn", dx="ann", shape="nn", channels="n")
def window_spread(v, dy, place, dx, shape, channels):
    """The pixels of one window of dx: dy[c] at the place argmax[c], else 0.

    dy      (array, argmax, start)
    place   as in window_max
    """
    (dy, argmax), (dx, *steps) = dy, dx
    b = v.builder

    def emit(c, mask):
        value, where = v.load(b.gep(dy, [c]), mask), v.load_int(b.gep(argmax, [c]), mask)
        first = b.gep(dx, [c])

        def write(row, column):
            here = v.splat_int(_place(b, place, row, column))
            chosen = b.icmp_signed("==", where, here)
            pixel = b.gep(first, [offset_of(b, row, column, *steps)])
            v.store(b.select(chosen, value, v.zero), pixel, mask)

        for_each_pixel(b, shape, write)

    v.for_each(channels, emit)


@emitted(dy="aunn", shape="nn", place="nnn", dx="a", channels="n", run="nnn", nontemporal="?")
def window_sum(v, dy, shape, place, dx, channels, run, nontemporal):
    """dx[c] for c < channels: the sum of the dy of those windows of `shape` whose maximum was this pixel; of each pixel
    in a run; past the caches, if `nontemporal`.

    dy      (array, argmax, start, row step, column step)
    place   (of the pixel in the first window, how much less it is a row, and a column)
    """
    dy, argmax, *steps = dy
    b = v.builder

    def sums(first, target, shape, places, mask):
        dy_at, argmax_at, dx_at = b.gep(dy, [first]), b.gep(argmax, [first]), b.gep(dx, [target])
        if is_known(shape):
            prefetch(v, (dy_at, argmax_at), steps, [(shape[0], 0)], places)

        def chosen(row, column, c):
            here = v.splat_int(b.sub(place[0], offset_of(b, row, column, *place[1:])))
            at = b.add(c, offset_of(b, row, column, *steps))
            where = v.load_int(b.gep(argmax_at, [at]), mask)
            value = v.load(b.gep(dy_at, [at]), mask)
            return b.select(b.icmp_signed("==", where, here), value, v.zero)

        totals = sums_over(v, shape, places, chosen)
        return [(total, b.gep(dx_at, [c])) for c, total in zip(places, totals, strict=True)]

    def pixel(*at):
        v.store_each(channels, partial(sums, *at), nontemporal)

    for_each_window(b, shape, run, pixel, unrolled=product((1, 2), repeat=2))


def _place(b, place, row, column):
    first, row_step = place
    return b.add(first, b.add(b.mul(row, row_step), column))


def _square(v, window):
    """The four pixels of a window of 2x2."""
    corner, row_step, column_step = window
    below = v.builder.gep(corner, [row_step])
    return [p for row in (corner, below) for p in (row, v.builder.gep(row, [column_step]))]
