"""Sums of columns over rows, a vector of columns at a time."""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted


@emitted(x="an", rows="n", centre="a", sums="aa", columns="n")
def column_moments(v, x, rows, centre, sums, columns):
    """Of each column, the sum of so many rows' distances from its centre, and of their squares.

    x      (array, start, elements from row to row)
    sums   (of distances, of squares, start)
    """
    (x, step), (distances, squares), b = x, sums, v.builder

    def emit(places, mask):
        centres = [v.load(b.gep(centre, [c]), mask) for c in places]
        totals = [[cgutils.alloca_once_value(b, v.zero) for _ in range(2)] for _ in places]
        with cgutils.for_range(b, rows) as row:
            offset = b.mul(row.index, step)
            for c, middle, (total, square) in zip(places, centres, totals, strict=True):
                distance = b.fsub(v.load(b.gep(x, [b.add(offset, c)]), mask), middle)
                b.store(b.fadd(b.load(total), distance), total)
                b.store(v.fma(distance, distance, b.load(square)), square)
        for c, (total, square) in zip(places, totals, strict=True):
            v.store(b.load(total), b.gep(distances, [c]), mask)
            v.store(b.load(square), b.gep(squares, [c]), mask)

    v.for_pairs(columns, emit)
