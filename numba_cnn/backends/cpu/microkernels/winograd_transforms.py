"""The transforms of Winograd's F(4x4, 3x3), emitted as LLVM vectors of channels: Lavin & Gray,
arXiv:1509.09308.

A correlation of 6x6 pixels with a 3x3 filter, 4x4 outputs, is Y = A' [(G g G') * (B' d B)] A with
an elementwise product: 36 multiplications a channel instead of 144. Its gradient by the filter is
G' [(B' d B) * (A dy A')] G.
"""

from fractions import Fraction

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.arrays import pointer_to, require_vectors
from numba_cnn.backends.cpu.codegen.vector import Vectors, int64
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS

PLANES = 36  # of a patch of 6x6

_SIXTH, _TWELFTH, _24TH = Fraction(1, 6), Fraction(1, 12), Fraction(1, 24)


class _Linear:
    """Linear combinations of vectors, with as few instructions as their coefficients allow."""

    def __init__(self, v):
        self.v, self.b = v, v.builder

    def combine(self, *terms):
        """The sum of coefficient * vector; the first coefficient is not -1."""
        total = None
        for coefficient, value in terms:
            factor = ir.Constant(self.v.type, [float(coefficient)] * self.v.lanes)
            if total is None:
                total = value if coefficient == 1 else self.b.fmul(value, factor)
            elif coefficient in (1, -1):
                total = (self.b.fadd if coefficient == 1 else self.b.fsub)(total, value)
            else:
                total = self.v.fma(value, factor, total)
        return total

    def input(self, d):
        """B' d: 6 -> 6."""
        a, e = self.combine((1, d[4]), (-4, d[2])), self.combine((1, d[3]), (-4, d[1]))
        f, g = self.b.fsub(d[4], d[2]), self.combine((2, self.b.fsub(d[3], d[1])))
        return [
            self.combine((1, d[4]), (4, d[0]), (-5, d[2])),
            self.b.fadd(a, e),
            self.b.fsub(a, e),
            self.b.fadd(f, g),
            self.b.fsub(f, g),
            self.combine((1, d[5]), (4, d[1]), (-5, d[3])),
        ]

    def output(self, m):
        """A' m: 6 -> 4."""
        p, s = self.b.fadd(m[1], m[2]), self.b.fsub(m[1], m[2])
        u, t = self.b.fadd(m[3], m[4]), self.b.fsub(m[3], m[4])
        return [
            self.b.fadd(self.b.fadd(m[0], p), u),
            self.combine((1, s), (2, t)),
            self.combine((1, p), (4, u)),
            self.b.fadd(self.combine((1, s), (8, t)), m[5]),
        ]

    def gradient(self, y):
        """A y: 4 -> 6, the transpose of output."""
        p, q = self.b.fadd(y[0], y[2]), self.b.fadd(y[1], y[3])
        r, s = self.combine((1, y[0]), (4, y[2])), self.combine((2, y[1]), (8, y[3]))
        return [
            y[0],
            self.b.fadd(p, q),
            self.b.fsub(p, q),
            self.b.fadd(r, s),
            self.b.fsub(r, s),
            y[3],
        ]

    def filter(self, g):
        """G g: 3 -> 6."""
        even, odd = self.combine((-_SIXTH, g[0]), (-_SIXTH, g[2])), self.combine((_SIXTH, g[1]))
        near, far = self.combine((_24TH, g[0]), (_SIXTH, g[2])), self.combine((_TWELFTH, g[1]))
        return [
            self.combine((Fraction(1, 4), g[0])),
            self.b.fsub(even, odd),
            self.b.fadd(even, odd),
            self.b.fadd(near, far),
            self.b.fsub(near, far),
            g[2],
        ]

    def filter_gradient(self, u):
        """G' u: 6 -> 3, the transpose of filter."""
        p, s = self.b.fadd(u[1], u[2]), self.b.fsub(u[2], u[1])
        q, t = self.b.fadd(u[3], u[4]), self.b.fsub(u[3], u[4])
        return [
            self.combine((Fraction(1, 4), u[0]), (-_SIXTH, p), (_24TH, q)),
            self.combine((_SIXTH, s), (_TWELFTH, t)),
            self.combine((1, u[5]), (-_SIXTH, p), (_SIXTH, q)),
        ]


def _both_sides(transform, block):
    """The transform along the columns of a block of vectors, then along its rows."""
    columns = [transform([row[c] for row in block]) for c in range(len(block[0]))]
    return [transform([column[r] for column in columns]) for r in range(len(columns[0]))]


def _transform(name, size, pad):
    """An intrinsic that reads a size x size block per vector of channels and writes its transform, plane by plane.

    With `pad`, whole vectors are written, with zeros behind the last channel; else only the channels that exist.
    """

    @intrinsic
    def transform(typingctx, source, s0, s_row, s_column, target, t0, t_row, t_column, channels):
        dtype = require_vectors(name, source, target)
        n = types.intp
        signature = types.void(source, n, n, n, target, n, n, n, n)

        def codegen(context, builder, signature, values):
            source, s0, s_row, s_column, target, t0, t_row, t_column, channels = values
            v = Vectors(builder, dtype)
            ps = pointer_to(context, builder, signature.args[0], source, s0)
            pt = pointer_to(context, builder, signature.args[4], target, t0)

            def at(base, c, row, row_step, column, column_step):
                offset = builder.add(
                    builder.mul(row_step, int64(row)), builder.mul(column_step, int64(column))
                )
                return builder.gep(base, [builder.add(offset, c)])

            def emit(c, mask):
                block = [
                    [v.load(at(ps, c, i, s_row, j, s_column), mask) for j in range(size)]
                    for i in range(size)
                ]
                result = _both_sides(getattr(_Linear(v), name), block)
                for i, row in enumerate(result):
                    for j, value in enumerate(row):
                        v.store(value, at(pt, c, i, t_row, j, t_column), None if pad else mask)

            v.for_each(channels, emit)
            return context.get_dummy_value()

        return signature, codegen

    return transform


input_transform = _transform("input", 6, pad=True)
gradient_transform = _transform("gradient", 4, pad=True)
filter_transform = _transform("filter", 3, pad=True)
filter_gradient_transform = _transform("filter_gradient", 6, pad=False)


@intrinsic
def input_rows(typingctx, source, s0, s_step, target, t0, t_step, count):
    """B' d along one axis: six rows of `count` elements, s_step apart, become six rows t_step apart.

    Whole vectors are read and written, up to a vector behind the last element.
    """
    require_vectors("input_rows", source, target)
    n = types.intp

    def codegen(context, builder, signature, values):
        source, s0, s_step, target, t0, t_step, count = values
        v = Vectors(builder, signature.args[0].dtype)
        ps = pointer_to(context, builder, signature.args[0], source, s0)
        pt = pointer_to(context, builder, signature.args[3], target, t0)
        rows = [builder.gep(ps, [builder.mul(s_step, int64(i))]) for i in range(6)]
        results = [builder.gep(pt, [builder.mul(t_step, int64(i))]) for i in range(6)]
        with v.steps(int64(0), count) as (c, _):
            transformed = _Linear(v).input([v.load(builder.gep(row, [c])) for row in rows])
            for result, value in zip(results, transformed, strict=True):
                v.store(value, builder.gep(result, [c]))
        return context.get_dummy_value()

    return types.void(source, n, n, target, n, n, n), codegen


class _Patch:
    """The end of a patch: from its 4x4 sums, filter by filter, to the outputs that lie inside the image.

    y = max(sum + bias, floor); `pooled`, the maxima of its 2x2 windows with the places that max pooling remembers.
    """

    def __init__(self, v, pooled, bias, floor, y, argmax, y_row, y_column, rows, columns, nontemporal):  # fmt: skip
        self.v, self.pooled, self.bias, self.low = v, pooled, bias, v.splat(floor)
        self.y, self.argmax, self.y_row, self.y_column = y, argmax, y_row, y_column
        self.rows, self.columns, self.nontemporal = rows, columns, nontemporal

    def finish(self, sums, f, mask):
        v, b = self.v, self.v.builder
        shift = v.load(b.gep(self.bias, [f]), mask)
        result = [[self._activated(b.fadd(value, shift)) for value in row] for row in sums]
        if self.pooled:
            result = [
                [v.first_maximum([*above[j : j + 2], *below[j : j + 2]]) for j in (0, 2)]
                for above, below in (result[:2], result[2:])
            ]
        with b.if_else(self.nontemporal) as (then, otherwise):
            with then:
                self._write(result, f, mask, nontemporal=True)
            with otherwise:
                self._write(result, f, mask, nontemporal=False)

    def _write(self, result, f, mask, nontemporal):
        b = self.v.builder
        for i, row in enumerate(result):
            with b.if_then(b.icmp_signed("<", int64(i), self.rows)):
                line = b.add(b.mul(self.y_row, int64(i)), f)
                for j, value in enumerate(row):
                    with b.if_then(b.icmp_signed("<", int64(j), self.columns)):
                        at = b.add(line, b.mul(self.y_column, int64(j)))
                        self._store(value, at, mask, nontemporal)

    def _activated(self, value):
        smaller = self.v.builder.fcmp_ordered("<", value, self.low)
        return self.v.builder.select(smaller, self.low, value)

    def _store(self, value, at, mask, nontemporal):
        b = self.v.builder
        if self.pooled:
            value, place = value
            self.v.store_int(place, b.gep(self.argmax, [at]), mask)
        if nontemporal:
            self.v.store_nontemporal(value, b.gep(self.y, [at]))
            return
        self.v.store(value, b.gep(self.y, [at]), mask)
        # The same pixel of the patch after the next, which memory then brings while this one is computed.
        ahead = b.mul(self.y_column, int64(4 if self.pooled else 8))
        self.v.prefetch(b.gep(self.y, [b.add(at, ahead)]), writing=True)


def _output_transform(pooled):
    @intrinsic
    def transform(
        typingctx, source, s0, s_plane, bias, b0, floor, y, argmax, y0, y_row, y_column, rows, columns, nontemporal,
        filters,
    ):  # fmt: skip
        dtype = require_vectors("output_transform", source, bias, y)
        n = types.intp
        flag = types.boolean
        signature = types.void(source, n, n, bias, n, dtype, y, argmax, n, n, n, n, n, flag, n)

        def codegen(context, builder, signature, values):
            source, s0, s_plane, bias, b0, floor, y, argmax, y0, *rest, filters = values
            v, kinds = Vectors(builder, dtype), signature.args
            ps = pointer_to(context, builder, kinds[0], source, s0)
            pb = pointer_to(context, builder, kinds[3], bias, b0)
            py = pointer_to(context, builder, kinds[6], y, y0)
            pa = pointer_to(context, builder, kinds[7], argmax, y0)
            patch = _Patch(v, pooled, pb, floor, py, pa, *rest)

            def plane(i, j, f):
                offset = builder.add(builder.mul(s_plane, int64(6 * i + j)), f)
                return v.load(builder.gep(ps, [offset]))

            def emit(f, mask):
                block = [[plane(i, j, f) for j in range(6)] for i in range(6)]
                patch.finish(_both_sides(_Linear(v).output, block), f, mask)

            v.for_each(filters, emit)
            return context.get_dummy_value()

        return signature, codegen

    return transform


# The outputs of one patch from the 36 planes of its products.
output_transform = _output_transform(pooled=False)
pooled_output_transform = _output_transform(pooled=True)


COLOURS = 3  # channels that coloured_outputs() takes
# Elements from one plane of their transforms to the next: a page and a cache line, not to fight for the same sets.
COLOUR_ROW = 1040


@intrinsic
def coloured_outputs(
    typingctx, V, v0, U, u0, bias, b0, floor, y, y0, y_row, y_column, rows, columns, nontemporal
):
    """The outputs of one patch of an image of three channels for a whole panel of filters, products and all in
    registers."""
    dtype = require_vectors("coloured_outputs", V, U, bias, y)
    n = types.intp
    signature = types.void(V, n, U, n, bias, n, dtype, y, n, n, n, n, n, types.boolean)

    def codegen(context, builder, signature, values):
        V, v0, U, u0, bias, b0, floor, y, y0, *rest = values
        v, kinds = Vectors(builder, dtype), signature.args
        pV = pointer_to(context, builder, kinds[0], V, v0)
        pU = pointer_to(context, builder, kinds[2], U, u0)
        pb = pointer_to(context, builder, kinds[4], bias, b0)
        py = pointer_to(context, builder, kinds[7], y, y0)
        patch = _Patch(v, False, pb, floor, py, None, *rest)
        width = NR_VECTORS * v.lanes

        def product(z, f):
            total = None
            for c in range(COLOURS):
                left = v.splat(builder.load(builder.gep(pV, [int64(z * COLOUR_ROW + c)])))
                right = builder.gep(pU, [builder.add(f, int64((z * COLOURS + c) * width))])
                right = v.load(right)
                total = v.fma(left, right, total) if c else builder.fmul(left, right)
            return total

        def emit(f, mask):
            columns = [
                _Linear(v).output([product(6 * i + j, f) for i in range(6)]) for j in range(6)
            ]
            lines = [[column[i] for column in columns] for i in range(4)]
            patch.finish([_Linear(v).output(line) for line in lines], f, None)

        v.for_each(int64(width), emit)
        return context.get_dummy_value()

    return signature, codegen
