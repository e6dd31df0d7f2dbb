"""What max pooling does with one window, and one pixel, a vector of channels at a time.

Windows are groups (array, start, row step, column step), their shape (rows, columns); `channels` elements lie side by
side. A place in a window counts up by 1 a column, and by a step of its own a row.
"""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64


@emitted(x="ann", shape="nn", place="nn", y="au", channels="n")
def window_max(v, x, shape, place, y, channels):
    """y[c], argmax[c] for c < channels: the first maximum of a window, and its place.

    place   (of the window's first pixel, step from row to row)
    y       (array, argmax, start)
    """
    (x, *steps), (y, argmax) = x, y
    b = v.builder
    best, where = cgutils.alloca_once(b, v.type), cgutils.alloca_once(b, v.integers)

    def emit(c, mask):
        first = b.gep(x, [c])
        b.store(v.load(first, mask), best)
        b.store(v.splat_int(place[0]), where)

        def compare(row, column):
            pixel = b.gep(first, [_offset(b, row, column, *steps)])
            value, old = v.load(pixel, mask), b.load(best)
            better = v.larger(value, old)
            here = v.splat_int(_place(b, place, row, column))
            b.store(b.select(better, value, old), best)
            b.store(b.select(better, here, b.load(where)), where)

        _for_each(b, shape, compare)
        v.store(b.load(best), b.gep(y, [c]), mask)
        v.store_int(b.load(where), b.gep(argmax, [c]), mask)

    v.for_each(channels, emit)


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
            pixel = b.gep(first, [_offset(b, row, column, *steps)])
            v.store(b.select(chosen, value, v.zero), pixel, mask)

        _for_each(b, shape, write)

    v.for_each(channels, emit)


@emitted(dy="aunn", shape="nn", place="nnn", dx="a", channels="n")
def window_sum(v, dy, shape, place, dx, channels):
    """dx[c] for c < channels: the sum of the dy of those windows of `shape` whose maximum was this pixel.

    dy      (array, argmax, start, row step, column step)
    place   (of the pixel in the first window, how much less it is a row, and a column)
    """
    dy, argmax, *steps = dy
    b = v.builder
    total = cgutils.alloca_once(b, v.type)

    def emit(c, mask):
        b.store(v.zero, total)

        def add(row, column):
            at = b.add(c, _offset(b, row, column, *steps))
            passed = _offset(b, row, column, *place[1:])
            here = v.splat_int(b.sub(place[0], passed))
            where, value = v.load_int(b.gep(argmax, [at]), mask), v.load(b.gep(dy, [at]), mask)
            chosen = b.select(b.icmp_signed("==", where, here), value, v.zero)
            b.store(b.fadd(b.load(total), chosen), total)

        _for_each(b, shape, add)
        v.store(b.load(total), b.gep(dx, [c]), mask)

    v.for_each(channels, emit)


def _for_each(b, shape, emit):
    """emit(row, column) for all of a shape."""
    rows, columns = shape
    with cgutils.for_range(b, rows) as row, cgutils.for_range(b, columns) as column:
        emit(row.index, column.index)


def _offset(b, row, column, row_step, column_step):
    return b.add(b.mul(row, row_step), b.mul(column, column_step))


def _place(b, place, row, column):
    first, row_step = place
    return b.add(first, b.add(b.mul(row, row_step), column))


def _square(v, window):
    """The four pixels of a window of 2x2."""
    corner, row_step, column_step = window
    below = v.builder.gep(corner, [row_step])
    return [p for row in (corner, below) for p in (row, v.builder.gep(row, [column_step]))]
