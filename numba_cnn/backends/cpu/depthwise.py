"""Depthwise convolutions: each channel has one filter of its own, so channels side by side fill the
vectors and nothing is left to a matrix product.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu.chunks import add_chunks, chunks_of
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.memory import empty
from numba_cnn.backends.cpu.strips import fill_strip, strip_filler
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.vector import INT64, Vectors, int64, pointer_to, require_vectors

PIXELS = 8  # whose sums are in registers at once
CHUNKS = 16  # of rows; from shapes alone, so that the order of summation does not depend on threads


@intrinsic
def depthwise_row(
    typingctx, x, a, a_i, a_j, a_m, filters, b_i, b_j, I, J, bias, floor, y, o, y_m, count, channels
):  # fmt: skip
    """y[o + m*y_m + c] = max(bias[c] + sum over i < I, j < J of x[a + i*a_i + j*a_j + m*a_m + c] * B, floor)

    for m < count and c < channels, where B = filters[i*b_i + j*b_j + c].
    """
    kind = require_vectors("depthwise_row", x, filters, bias, y)
    n = types.intp
    signature = types.void(x, n, n, n, n, filters, n, n, n, n, bias, kind, y, n, n, n, n)

    def codegen(context, builder, signature, values):
        x, a, a_i, a_j, a_m, filters, b_i, b_j, I, J, bias, floor, y, o, y_m, count, channels = (
            values
        )
        kinds = signature.args
        v = Vectors(builder, kind)
        zero = int64(0)
        px = pointer_to(context, builder, kinds[0], x, a)
        pb = pointer_to(context, builder, kinds[5], filters, zero)
        pi = pointer_to(context, builder, kinds[10], bias, zero)
        py = pointer_to(context, builder, kinds[12], y, o)
        sums = [cgutils.alloca_once(builder, v.type) for _ in range(PIXELS)]
        low = v.splat(floor)

        def some(m, pixels, c, mask):
            """The outputs of the pixels m, m + 1, ..."""
            first = builder.gep(px, [builder.add(builder.mul(m, a_m), c)])
            initial = v.load(builder.gep(pi, [c]), mask)
            for p in range(pixels):
                builder.store(initial, sums[p])
            with cgutils.for_range(builder, I) as row, cgutils.for_range(builder, J) as column:
                i, j = row.index, column.index
                tap = builder.add(builder.mul(i, b_i), builder.mul(j, b_j))
                weight = v.load(builder.gep(pb, [builder.add(tap, c)]), mask)
                window = builder.add(builder.mul(i, a_i), builder.mul(j, a_j))
                for p in range(pixels):
                    at = builder.add(window, builder.mul(a_m, int64(p)))
                    pixel = v.load(builder.gep(first, [at]), mask)
                    builder.store(v.fma(pixel, weight, builder.load(sums[p])), sums[p])
            for p in range(pixels):
                value = builder.load(sums[p])
                value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
                at = builder.add(builder.mul(builder.add(m, int64(p)), y_m), c)
                v.store(value, builder.gep(py, [at]), mask)

        # Channels are the inner loop: memory is read as it lies.
        start, pixels = zero, PIXELS
        while pixels:
            stop = builder.and_(count, int64(-pixels))
            with cgutils.for_range_slice(builder, start, stop, int64(pixels), intp=INT64) as (m, _):
                v.for_each(channels, lambda c, mask, m=m, pixels=pixels: some(m, pixels, c, mask))
            start, pixels = stop, pixels // 2
        return context.get_dummy_value()

    return signature, codegen


def correlate_weight(x, dy, g, dweight, dbias):
    """dweight (KH, KW, 1, C) and dbias (C,) for images x (N, H, W, C); dy is a source, see strips.py."""
    chunks = min(CHUNKS, g.N * g.OH)
    threads = get_num_threads()
    dweights, dbiases = chunks_of(dweight, chunks), chunks_of(dbias, chunks)
    _correlate_weight(
        threads, strip_filler(x.dtype), x.reshape(-1), dy, tuple(g), dweights, dbiases,
        empty((threads, g.OW * g.C), x.dtype),
    )  # fmt: skip
    add_chunks(dweights, dweight)
    add_chunks(dbiases, dbias)


@kernel
def _correlate_weight(share, shares, thread, packed):
    """Each share is whole chunks of the rows of dy, which lie gated in its strip."""
    filler, x, dy, g, dweights, dbiases, strips = unpack(packed)
    N, H, W, C, KH, KW, _, _, SH, SW, DH, DW, top, _, left, _, OH, OW = g
    chunks, flat, s = len(dweights), strips.reshape(-1), thread * strips.shape[1]
    filters, biases = dweights.reshape(-1), dbiases.reshape(-1)
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        dweights[chunk, :] = 0
        dbiases[chunk, :] = 0
        for r in range(chunk * N * OH // chunks, (chunk + 1) * N * OH // chunks):
            n, oh = r // OH, r % OH
            fill_strip(filler, dy, (N, OH, OW, C), n, oh, 0, OW, 0, C, flat, s)
            add_dots(flat, s, C, flat, s, C, False, OW, biases, chunk * C, C)
            for i in range(KH):
                h = oh * SH + i * DH - top
                if h < 0 or h >= H:
                    continue
                for j in range(KW):
                    before = left - j * DW  # columns of padding under the tap
                    first = max(0, -(-before // SW))
                    pixels = min(OW, (W - 1 + before) // SW + 1) - first
                    a = ((n * H + h) * W + first * SW - before) * C
                    o = chunk * dweights.shape[1] + (i * KW + j) * C
                    if pixels > 0:  # some taps may see nothing of an image smaller than the filter
                        add_dots(x, a, SW * C, flat, s + first * C, C, True, pixels, filters, o, C)


@intrinsic
def add_dots(typingctx, x, a, a_m, d, d0, d_m, multiplied, count, sums, o, channels):
    """sums[o + c] += sum over m < count of d[d0 + m*d_m + c], times x[a + m*a_m + c] if `multiplied`.

    c < channels.
    """
    kind = require_vectors("add_dots", x, d, sums)
    n = types.intp
    signature = types.void(x, n, n, d, n, n, types.boolean, n, sums, n, n)

    def codegen(context, builder, signature, values):
        x, a, a_m, d, d0, d_m, multiplied, count, sums, o, channels = values
        kinds = signature.args
        v = Vectors(builder, kind)
        px = pointer_to(context, builder, kinds[0], x, a)
        pd = pointer_to(context, builder, kinds[3], d, d0)
        po = pointer_to(context, builder, kinds[8], sums, o)
        # Sums that do not wait for one another.
        totals = [cgutils.alloca_once(builder, v.type) for _ in range(4)]
        one = v.splat(ir.Constant(v.element, 1.0))

        def add(m, total, c, mask):
            left = v.load(builder.gep(pd, [builder.add(builder.mul(m, d_m), c)]), mask)
            right = v.load(builder.gep(px, [builder.add(builder.mul(m, a_m), c)]), mask)
            right = builder.select(multiplied, right, one)
            builder.store(v.fma(left, right, builder.load(total)), total)

        def emit(c, mask):
            for total in totals:
                builder.store(v.zero, total)
            whole = builder.and_(count, int64(-len(totals)))
            with cgutils.for_range_slice(
                builder, int64(0), whole, int64(len(totals)), intp=INT64
            ) as (m, _):
                for p, total in enumerate(totals):
                    add(builder.add(m, int64(p)), total, c, mask)
            with cgutils.for_range_slice(builder, whole, count, int64(1), intp=INT64) as (m, _):
                add(m, totals[0], c, mask)
            target = builder.gep(po, [c])
            total = v.load(target, mask)
            for part in totals:
                total = builder.fadd(total, builder.load(part))
            v.store(total, target, mask)

        v.for_each(channels, emit)
        return context.get_dummy_value()

    return signature, codegen
