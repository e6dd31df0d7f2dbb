"""Windows that are alike, one after the other, and the pixels of each: what all pooling has in common.

A shape is (rows, columns), a run (count, step from one window or pixel to the next, step of what is written).
"""

from contextlib import ExitStack
from itertools import product

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.vector import int64
from numba_cnn.backends.cpu.microkernels.columns import rows_ahead


def prefetch_below(v, x, steps, shape, places):
    """Ask for what the window below has and this one has not, if they lie two rows and two columns apart."""
    pixels = [(shape[0] + row, column) for row, column in product(range(2), repeat=2)]
    prefetch(v, (x,), steps, pixels, places)


def prefetch(v, arrays, steps, pixels, places):
    """Ask for these pixels, (row, column) from where the arrays are, which need not exist."""
    b = v.builder
    for row, column in pixels:
        pixel = offset_of(b, int64(row), int64(column), *steps)
        for array in arrays:
            v.prefetch_vectors([b.gep(array, [b.add(c, pixel)]) for c in places])


def prefetch_rows(v, x, steps, row, column, places):
    """Ask for the pixel, which need not exist, of the row that rows_ahead counts from this one's."""
    b = v.builder
    pixel = offset_of(b, b.add(row, rows_ahead(v, steps[0])), column, *steps)
    v.prefetch_vectors([b.gep(x, [b.add(c, pixel)]) for c in places], level=1)


def vectors_of(shape):
    """How many vectors of channels go through windows of this shape together: more where windows are large."""
    return 2 if is_known(shape) else 4


def variable(b, value):
    """A place for a vector, which LLVM makes a register, and its first value."""
    return cgutils.alloca_once_value(b, value)


def for_each_window(b, shape, run, emit, unrolled):
    """emit(place, target, shape) for each window of a run: where it begins, and what is written for it; with the shape
    as Python's integers where it is one of the `unrolled`.
    """

    def windows(shape):
        count, step, target_step = run
        with cgutils.for_range(b, count) as window:
            emit(b.mul(window.index, step), b.mul(window.index, target_step), shape)

    with ExitStack() as others:
        for known in unrolled:
            same = [b.icmp_signed("==", n, int64(m)) for n, m in zip(shape, known, strict=True)]
            then, otherwise = others.enter_context(b.if_else(b.and_(*same)))
            with then:
                windows(known)
            others.enter_context(otherwise)
        windows(shape)


def for_each_pixel(b, shape, emit):
    """emit(row, column) for all of a shape; without a loop if it is known."""
    if is_known(shape):
        for row, column in product(*map(range, shape)):
            emit(int64(row), int64(column))
        return
    rows, columns = shape
    with cgutils.for_range(b, rows) as row, cgutils.for_range(b, columns) as column:
        emit(row.index, column.index)


def sums_over(v, shape, places, term):
    """For each place the sum of term(row, column, place) over all of a shape, in row-major order."""
    b = v.builder
    totals = [variable(b, v.zero) for _ in places]

    def add(row, column):
        for c, total in zip(places, totals, strict=True):
            b.store(b.fadd(b.load(total), term(row, column, c)), total)

    for_each_pixel(b, shape, add)
    return [b.load(total) for total in totals]


def is_known(shape):
    return isinstance(shape[0], int)


def offset_of(b, row, column, row_step, column_step):
    return b.add(b.mul(row, row_step), b.mul(column, column_step))
