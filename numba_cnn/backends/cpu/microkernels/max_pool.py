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

    def emit(places, mask):
        best = [_variable(b, v.load(b.gep(x, [c]), mask)) for c in places]
        where = [_variable(b, v.splat_int(place[0])) for _ in places]

        def compare(row, column):
            offset = _offset(b, row, column, *steps)
            here = v.splat_int(_place(b, place, row, column))
            for c, largest, at in zip(places, best, where, strict=True):
                value, old = v.load(b.gep(x, [b.add(c, offset)]), mask), b.load(largest)
                better = v.larger(value, old)
                b.store(b.select(better, value, old), largest)
                b.store(b.select(better, here, b.load(at)), at)

        _for_each(b, shape, compare)
        for c, largest, at in zip(places, best, where, strict=True):
            v.store(b.load(largest), b.gep(y, [c]), mask)
            v.store_int(b.load(at), b.gep(argmax, [c]), mask)

    v.for_pairs(channels, emit)


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


@emitted(dy="aunn", shape="nn", place="nnn", dx="a", channels="n", nontemporal="?")
def window_sum(v, dy, shape, place, dx, channels, nontemporal):
    """dx[c] for c < channels: the sum of the dy of those windows of `shape` whose maximum was this pixel; past the
    caches, if `nontemporal`.

    dy      (array, argmax, start, row step, column step)
    place   (of the pixel in the first window, how much less it is a row, and a column)
    """
    dy, argmax, *steps = dy
    b = v.builder

    def sums(places, mask):
        totals = [_variable(b, v.zero) for _ in places]

        def add(row, column):
            offset = _offset(b, row, column, *steps)
            here = v.splat_int(b.sub(place[0], _offset(b, row, column, *place[1:])))
            for c, total in zip(places, totals, strict=True):
                at = b.add(c, offset)
                where, value = v.load_int(b.gep(argmax, [at]), mask), v.load(b.gep(dy, [at]), mask)
                chosen = b.select(b.icmp_signed("==", where, here), value, v.zero)
                b.store(b.fadd(b.load(total), chosen), total)

        _for_each(b, shape, add)
        return [(b.load(total), b.gep(dx, [c])) for c, total in zip(places, totals, strict=True)]

    v.store_each(channels, sums, nontemporal)


def _variable(b, value):
    """A place for a vector, which LLVM makes a register, and its first value."""
    return cgutils.alloca_once_value(b, value)


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
