"""The transforms of Winograd's F(4x4, 3x3), emitted as LLVM vectors of channels: Lavin & Gray,
arXiv:1509.09308.

A correlation of 6x6 pixels with a 3x3 filter, 4x4 outputs, is Y = A' [(G g G') * (B' d B)] A with
an elementwise product: 36 multiplications a channel instead of 144. Its gradient by the filter is
G' [(B' d B) * (A dy A')] G.
"""

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.microkernels.winograd_matrices import Linear, both_sides

PLANES = 36  # of a patch of 6x6


def _transform(name, size, pad):
    """A micro-kernel that reads a size x size block per vector of channels and writes its transform, plane by plane.

    Both are (array, start, row step, column step).

    With `pad`, whole vectors are written, with zeros behind the last channel; else only the channels that exist.
    """

    @emitted(source="ann", target="ann", channels="n")
    def transform(v, source, target, channels):
        b = v.builder

        def emit(c, mask):
            block = [
                [v.load(_pixel(b, source, i, j, c), mask) for j in range(size)] for i in range(size)
            ]
            result = both_sides(getattr(Linear(v), name), block)
            for i, row in enumerate(result):
                for j, value in enumerate(row):
                    v.store(value, _pixel(b, target, i, j, c), None if pad else mask)

        v.for_each(channels, emit)

    return transform


def _pixel(b, block, i, j, c):
    """The address of a block's channel c in row i, column j."""
    pointer, row_step, column_step = block
    offset = b.add(b.mul(row_step, int64(i)), b.mul(column_step, int64(j)))
    return b.gep(pointer, [b.add(offset, c)])


input_transform = _transform("input", 6, pad=True)
gradient_transform = _transform("gradient", 4, pad=True)
filter_transform = _transform("filter", 3, pad=True)
filter_gradient_transform = _transform("filter_gradient", 6, pad=False)


@emitted(source="an", target="an", count="n")
def input_rows(v, source, target, count):
    """B' d along one axis: six rows of `count` elements become six rows; both are (array, start, row step).

    Whole vectors are read and written, up to a vector behind the last element.
    """
    b = v.builder
    rows, results = (
        [b.gep(pointer, [b.mul(step, int64(i))]) for i in range(6)]
        for pointer, step in (source, target)
    )
    with v.steps(int64(0), count) as (c, _):
        transformed = Linear(v).input([v.load(b.gep(row, [c])) for row in rows])
        for result, value in zip(results, transformed, strict=True):
            v.store(value, b.gep(result, [c]))


class _Patch:
    """The end of a patch: from its 4x4 sums, filter by filter, to the outputs that lie inside the image.

    y = max(sum + bias, floor); `pooled`, the maxima of its 2x2 windows with the places that max pooling remembers.
    """

    def __init__(self, v, y, bias, extents, epilogue, pooled=False):
        self.v, self.pooled, self.bias = v, pooled, bias
        self.y, *argmax, self.y_row, self.y_column = y
        self.argmax = argmax[0] if pooled else None
        self.rows, self.columns = extents
        self.low, self.nontemporal = v.splat(epilogue[0]), epilogue[1]

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
    @emitted(source="an", y="aunn", bias="a", extents="nn", epilogue="f?", filters="n")
    def transform(v, source, y, bias, extents, epilogue, filters):
        """The outputs of one patch from the 36 planes of its products.

        source     (array, start, step from plane to plane)
        y          (array, argmax, start, row step, column step)
        bias       (array, start)
        extents    (rows, columns) of the outputs that are left
        epilogue   (floor, nontemporal)
        """
        b, (source, s_plane) = v.builder, source
        patch = _Patch(v, y, bias, extents, epilogue, pooled)

        def plane(i, j, f):
            offset = b.add(b.mul(s_plane, int64(6 * i + j)), f)
            return v.load(b.gep(source, [offset]))

        def emit(f, mask):
            block = [[plane(i, j, f) for j in range(6)] for i in range(6)]
            patch.finish(both_sides(Linear(v).output, block), f, mask)

        v.for_each(filters, emit)

    return transform


output_transform = _output_transform(pooled=False)
pooled_output_transform = _output_transform(pooled=True)


COLOURS = 3  # channels that coloured_outputs() takes
# Elements from one plane of their transforms to the next: a page and a cache line, not to fight for the same sets.
COLOUR_ROW = 1040


@emitted(V="a", U="a", y="ann", bias="a", extents="nn", epilogue="f?")
def coloured_outputs(v, V, U, y, bias, extents, epilogue):
    """The outputs of one patch of an image of three channels for a whole panel of filters, products and all in
    registers; the groups are those of output_transform, without argmax."""
    b, width = v.builder, NR_VECTORS * v.lanes
    patch = _Patch(v, y, bias, extents, epilogue)

    def product(z, f):
        total = None
        for c in range(COLOURS):
            left = v.splat(b.load(b.gep(V, [int64(z * COLOUR_ROW + c)])))
            right = v.load(b.gep(U, [b.add(f, int64((z * COLOURS + c) * width))]))
            total = v.fma(left, right, total) if c else b.fmul(left, right)
        return total

    def emit(f, mask):
        columns = [Linear(v).output([product(6 * i + j, f) for i in range(6)]) for j in range(6)]
        lines = [[column[i] for column in columns] for i in range(4)]
        patch.finish([Linear(v).output(line) for line in lines], f, None)

    v.for_each(int64(width), emit)
