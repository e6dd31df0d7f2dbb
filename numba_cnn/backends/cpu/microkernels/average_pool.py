"""What average pooling does with one window, a vector of channels at a time; groups are those of max_pool.py."""

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted


@emitted(x="ann", shape="nn", count="f", y="a", channels="n")
def window_mean(v, x, shape, count, y, channels):
    """y[c] for c < channels: the sum of the pixels of a window, in row-major order, over `count`."""
    (x, row_step, column_step), (rows, columns), b = x, shape, v.builder

    def emit(places, mask):
        totals = [cgutils.alloca_once_value(b, v.zero) for _ in places]
        with cgutils.for_range(b, rows) as row, cgutils.for_range(b, columns) as column:
            at = b.add(b.mul(row.index, row_step), b.mul(column.index, column_step))
            for c, total in zip(places, totals, strict=True):
                pixel = v.load(b.gep(x, [b.add(c, at)]), mask)
                b.store(b.fadd(b.load(total), pixel), total)
        for c, total in zip(places, totals, strict=True):
            v.store(b.fdiv(b.load(total), v.splat(count)), b.gep(y, [c]), mask)

    v.for_pairs(channels, emit)
