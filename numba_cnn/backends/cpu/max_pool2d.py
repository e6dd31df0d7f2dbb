"""Max pooling on the CPU: a window at a time, a vector of channels at a time."""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu.compiler import inline, small
from numba_cnn.backends.cpu.copy import spread_pixel
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.threads import threads_for
from numba_cnn.backends.cpu.tile import lanes_of
from numba_cnn.backends.cpu.vector import Vectors, int64, is_aligned, pointer_to, require_vectors

# Bytes of a gradient from which on it is written past the caches, which it would leave before it is read. To write a
# line, caches read it first: memory then moves twice as much.
STREAMED = 1 << 23


def max_pool2d(x, g, y, argmax):
    _max_pool2d(threads_for(x.size), x.reshape(-1), tuple(g), y.reshape(-1), argmax.reshape(-1))


def max_pool2d_backward(dy, argmax, g, dx):
    _max_pool2d_backward(
        threads_for(dx.size), dy.reshape(-1), argmax.reshape(-1), tuple(g), dx.reshape(-1)
    )


@kernel
def _max_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y, argmax = unpack(packed)
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    halving = _is_halving(g)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * SH - top, 0), min(oh * SH - top + PH, H)
        if halving:
            pool_pair(x, (n * H + h0) * W * C, W * C, C, OW, y, argmax, r * OW * C, C, C)
            continue
        for ow in range(OW):
            w0, w1 = max(ow * SW - left, 0), min(ow * SW - left + PW, W)
            place = (h0 - oh * SH + top) * PW + w0 - ow * SW + left
            o = ((n * H + h0) * W + w0) * C
            _window_max(
                x, o, W * C, C, h1 - h0, w1 - w0, place, PW, y, argmax, (r * OW + ow) * C, C
            )


@kernel
def _max_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx: those of its windows where windows do not overlap, else any."""
    dy, argmax, g, dx = unpack(packed)
    N, H, W, C, PH, PW, SH, SW, _, _, _, _, OH, OW = g
    if SH >= PH and SW >= PW:
        streamed = dx.size * dx.itemsize >= STREAMED and C % lanes_of(dx) == 0 and is_aligned(dx)
        for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
            _spread_row(dy, argmax, g, dx, r, streamed)
    else:
        for r in range(share * N * H // shares, (share + 1) * N * H // shares):
            _collect_row(dy, argmax, g, dx, r)


@small
def _is_halving(g):
    """Whether windows of 2x2 pixels lie side by side, all inside of the image."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    return (PH, PW, SH, SW, top, left) == (2, 2, 2, 2, 0, 0) and 2 * OH <= H and 2 * OW <= W


@inline
def pool_pair(x, o, row_step, column_step, pixels, y, argmax, o_y, y_step, channels):
    """The maxima of 2x2 pixels of a pair of rows, which begin at x[o] and x[o + row_step]."""
    for q in range(pixels):
        _square_max(
            x, o + 2 * q * column_step, row_step, column_step, y, argmax, o_y + q * y_step, channels
        )


@inline
def _spread_row(dy, argmax, g, dx, r, streamed):
    """The rows of dx from one row of windows to the next: each window writes its own pixels, the rest are 0."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    n, oh = r // OH, r % OH
    start = 0 if oh == 0 else oh * SH - top
    stop = H if oh == OH - 1 else (oh + 1) * SH - top
    h0, h1 = max(oh * SH - top, 0), min(oh * SH - top + PH, H)
    if (SH, SW) != (PH, PW) or start != h0 or stop != h1 or OW * PW - left != W:
        dx[(n * H + start) * W * C : (n * H + stop) * W * C] = 0
    if _is_halving(g):
        for ow in range(OW):
            if streamed:
                o = ((n * H + h0) * W + 2 * ow) * C
                _square_spread(dy, argmax, (r * OW + ow) * C, dx, o, W * C, C, C)
                continue
            for h in range(2):
                spread_pixel(
                    dy, (r * OW + ow) * C, dy, False, argmax, 2 * h, dx, ((n * H + h0 + h) * W + 2 * ow) * C, C,
                    True, True, C,
                )  # fmt: skip
        return
    for ow in range(OW):
        w0, w1 = max(ow * SW - left, 0), min(ow * SW - left + PW, W)
        place = (h0 - oh * SH + top) * PW + w0 - ow * SW + left
        o = ((n * H + h0) * W + w0) * C
        _window_spread(
            dy, argmax, (r * OW + ow) * C, place, PW, dx, o, W * C, C, h1 - h0, w1 - w0, C
        )


@inline
def _collect_row(dy, argmax, g, dx, r):
    """One row of dx: each pixel collects from the windows that hold it."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    n, h = r // H, r % H
    oh0, oh1 = _windows_over(h + top, PH, SH, OH)
    for col in range(W):
        ow0, ow1 = _windows_over(col + left, PW, SW, OW)
        place = (h + top - oh0 * SH) * PW + col + left - ow0 * SW
        o = ((n * OH + oh0) * OW + ow0) * C
        _window_sum(
            dy,
            argmax,
            o,
            OW * C,
            C,
            oh1 - oh0,
            ow1 - ow0,
            place,
            SH * PW,
            SW,
            dx,
            (r * W + col) * C,
            C,
        )


@inline
def _windows_over(position, P, S, count):
    """The range of windows of size P at stride S that hold a position."""
    first = max(0, (position - P) // S + 1)
    return first, max(first, min(position // S + 1, count))


@intrinsic
def _window_max(
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
def _square_max(typingctx, x, o, row_step, column_step, y, argmax, o_y, C):
    """_window_max of 2x2 pixels, their places 0 to 3."""
    dtype = require_vectors("max_pool2d", x, y)
    n = types.intp
    signature = types.void(x, n, n, n, y, argmax, n, n)

    def codegen(context, builder, signature, values):
        x, o, row_step, column_step, y, argmax, o_y, C = values
        kinds = signature.args
        v = Vectors(builder, dtype)
        corner = pointer_to(context, builder, kinds[0], x, o)
        below = builder.gep(corner, [row_step])
        pixels = [p for row in (corner, below) for p in (row, builder.gep(row, [column_step]))]
        py = pointer_to(context, builder, kinds[4], y, o_y)
        pa = pointer_to(context, builder, kinds[5], argmax, o_y)

        def emit(c, mask):
            for p in pixels:  # those of the next pair of rows
                later = builder.add(c, builder.mul(row_step, int64(2)))
                v.prefetch(builder.gep(p, [later]), writing=False)
            best, where = v.first_maximum([v.load(builder.gep(p, [c]), mask) for p in pixels])
            v.store(best, builder.gep(py, [c]), mask)
            v.store_int(where, builder.gep(pa, [c]), mask)

        v.for_each(C, emit)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _square_spread(typingctx, dy, argmax, o, dx, o_x, row_step, column_step, C):
    """_window_spread of 2x2 pixels, past the caches; dx is aligned and C fills whole vectors."""
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
                v.stream(builder.select(chosen, value, v.zero), builder.gep(pixel, [c]))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _window_spread(
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
def _window_sum(
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
