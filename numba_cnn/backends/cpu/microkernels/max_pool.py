"""What max pooling does with one window, and one pixel, a vector of channels at a time."""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.arrays import pointer_to, require_vectors
from numba_cnn.backends.cpu.codegen.vector import Vectors, int64


@intrinsic
def window_max(
    typingctx, x, o, row_step, column_step, rows, columns, place, place_step, y, argmax, o_y, C
):  # fmt: skip
    """y[o_y + c], argmax[o_y + c] for c < C: the first maximum of a window of rows x columns pixels, and its place.

    Places count up from `place` by 1 a column and `place_step` a row.
    """
    dtype = require_vectors("max_pool2d", x, y)
    n = types.intp
    signature = types.void(x, n, n, n, n, n, n, n, y, argmax, n, n)

    def codegen(context, builder, signature, values):
        x, o, row_step, column_step, rows, columns, place, place_step, y, argmax, o_y, C = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        best, where = cgutils.alloca_once(builder, v.type), cgutils.alloca_once(builder, v.integers)
        px = pointer_to(context, builder, kinds[0], x, o)

        def emit(c, mask):
            first = builder.gep(px, [c])
            builder.store(v.load(first, mask), best)
            builder.store(v.splat_int(place), where)
            with (
                cgutils.for_range(builder, rows) as row,
                cgutils.for_range(builder, columns) as column,
            ):
                offset = builder.add(
                    builder.mul(row.index, row_step), builder.mul(column.index, column_step)
                )
                value, old = v.load(builder.gep(first, [offset]), mask), builder.load(best)
                better = v.larger(value, old)
                here = builder.add(
                    place, builder.add(builder.mul(row.index, place_step), column.index)
                )
                builder.store(builder.select(better, value, old), best)
                builder.store(builder.select(better, v.splat_int(here), builder.load(where)), where)
            at = builder.add(o_y, c)
            v.store(builder.load(best), pointer_to(context, builder, kinds[8], y, at), mask)
            v.store_int(
                builder.load(where), pointer_to(context, builder, kinds[9], argmax, at), mask
            )

        v.for_each(C, emit)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def square_max(typingctx, x, o, row_step, column_step, y, argmax, o_y, C, nontemporal):
    """window_max of 2x2 pixels, their places 0 to 3; y past the caches, if `nontemporal`."""
    dtype = require_vectors("max_pool2d", x, y)
    n = types.intp
    signature = types.void(x, n, n, n, y, argmax, n, n, types.boolean)

    def codegen(context, builder, signature, values):
        x, o, row_step, column_step, y, argmax, o_y, C, nontemporal = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        corner = pointer_to(context, builder, kinds[0], x, o)
        below = builder.gep(corner, [row_step])
        pixels = [p for row in (corner, below) for p in (row, builder.gep(row, [column_step]))]
        py = pointer_to(context, builder, kinds[4], y, o_y)
        pa = pointer_to(context, builder, kinds[5], argmax, o_y)

        def emit(c, mask, nontemporal=False):
            for p in pixels:  # those of the next pair of rows
                later = builder.add(c, builder.mul(row_step, int64(2)))
                v.prefetch(builder.gep(p, [later]), writing=False)
            best, where = v.first_maximum([v.load(builder.gep(p, [c]), mask) for p in pixels])
            if nontemporal:
                v.store_nontemporal(best, builder.gep(py, [c]))
            else:
                v.store(best, builder.gep(py, [c]), mask)
            v.store_int(where, builder.gep(pa, [c]), mask)

        with builder.if_else(nontemporal) as (then, otherwise):
            with then, v.steps(int64(0), C) as (c, _):
                emit(c, None, nontemporal=True)
            with otherwise:
                v.for_each(C, emit)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def square_spread(typingctx, dy, argmax, o, dx, o_x, row_step, column_step, C):
    """window_spread of 2x2 pixels, past the caches; dx is aligned and C fills whole vectors."""
    dtype = require_vectors("max_pool2d_backward", dy, dx)
    n = types.intp
    signature = types.void(dy, argmax, n, dx, n, n, n, n)

    def codegen(context, builder, signature, values):
        dy, argmax, o, dx, o_x, row_step, column_step, C = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        py = pointer_to(context, builder, kinds[0], dy, o)
        pa = pointer_to(context, builder, kinds[1], argmax, o)
        corner = pointer_to(context, builder, kinds[3], dx, o_x)
        below = builder.gep(corner, [row_step])
        pixels = [p for row in (corner, below) for p in (row, builder.gep(row, [column_step]))]
        with v.steps(int64(0), C) as (c, _):
            value, where = v.load(builder.gep(py, [c])), v.load_int(builder.gep(pa, [c]))
            for place, pixel in enumerate(pixels):
                chosen = builder.icmp_signed("==", where, v.splat_int(int64(place)))
                v.store_nontemporal(builder.select(chosen, value, v.zero), builder.gep(pixel, [c]))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def window_spread(
    typingctx, dy, argmax, o, place, place_step, dx, o_x, row_step, column_step, rows, columns, C
):  # fmt: skip
    """The rows x columns pixels of one window, the first at dx[o_x]: dy[o + c] at the place argmax[o + c], else 0."""
    dtype = require_vectors("max_pool2d_backward", dy, dx)
    n = types.intp
    signature = types.void(dy, argmax, n, n, n, dx, n, n, n, n, n, n)

    def codegen(context, builder, signature, values):
        dy, argmax, o, place, place_step, dx, o_x, row_step, column_step, rows, columns, C = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        px = pointer_to(context, builder, kinds[5], dx, o_x)

        def emit(c, mask):
            at = builder.add(o, c)
            value = v.load(pointer_to(context, builder, kinds[0], dy, at), mask)
            where = v.load_int(pointer_to(context, builder, kinds[1], argmax, at), mask)
            first = builder.gep(px, [c])
            with (
                cgutils.for_range(builder, rows) as row,
                cgutils.for_range(builder, columns) as column,
            ):
                here = builder.add(
                    place, builder.add(builder.mul(row.index, place_step), column.index)
                )
                chosen = builder.icmp_signed("==", where, v.splat_int(here))
                offset = builder.add(
                    builder.mul(row.index, row_step), builder.mul(column.index, column_step)
                )
                v.store(builder.select(chosen, value, v.zero), builder.gep(first, [offset]), mask)

        v.for_each(C, emit)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def window_sum(
    typingctx, dy, argmax, o, row_step, column_step, rows, columns, place, place_row, place_column, dx, o_x, C
):  # fmt: skip
    """dx[o_x + c] for c < C: the sum of the dy of rows x columns windows whose maximum was this pixel.

    In the first window the pixel has the place `place`; it is less by place_column a column, by place_row a row.
    """
    dtype = require_vectors("max_pool2d_backward", dy, dx)
    n = types.intp
    signature = types.void(dy, argmax, n, n, n, n, n, n, n, n, dx, n, n)

    def codegen(context, builder, signature, values):
        (
            dy,
            argmax,
            o,
            row_step,
            column_step,
            rows,
            columns,
            place,
            place_row,
            place_column,
            dx,
            o_x,
            C,
        ) = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        total = cgutils.alloca_once(builder, v.type)

        def emit(c, mask):
            builder.store(v.zero, total)
            with (
                cgutils.for_range(builder, rows) as row,
                cgutils.for_range(builder, columns) as column,
            ):
                at = builder.add(
                    builder.mul(row.index, row_step), builder.mul(column.index, column_step)
                )
                at = builder.add(builder.add(o, c), at)
                passed = builder.add(
                    builder.mul(row.index, place_row), builder.mul(column.index, place_column)
                )
                here = v.splat_int(builder.sub(place, passed))
                where = v.load_int(pointer_to(context, builder, kinds[1], argmax, at), mask)
                value = v.load(pointer_to(context, builder, kinds[0], dy, at), mask)
                chosen = builder.select(builder.icmp_signed("==", where, here), value, v.zero)
                builder.store(builder.fadd(builder.load(total), chosen), total)
            v.store(
                builder.load(total),
                pointer_to(context, builder, kinds[10], dx, builder.add(o_x, c)),
                mask,
            )

        v.for_each(C, emit)
        return context.get_dummy_value()

    return signature, codegen
