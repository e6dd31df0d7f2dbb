"""The weight gradient of depthwise convolutions of any size; see depthwise.py."""

from functools import reduce
from itertools import product

from numba import types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.arrays import pointer_to, require_vectors
from numba_cnn.backends.cpu.codegen.vector import Vectors, int64
from numba_cnn.backends.cpu.convolution.row_buffers import fill_row, row_filler
from numba_cnn.backends.cpu.microkernels.depthwise_row import (
    by_pixels,
    pixels_alike,
    prefetch_below,
    seen,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_CHUNKS = (
    16  # of rows; from shapes alone, so that the order of summation does not depend on threads
)

ALGORITHM = "direct"


def supports(problem):
    return problem.depthwise


def pays(problem):
    return True


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py."""
    g = problem.g
    chunks = min(MAX_CHUNKS, g.N * g.OH)
    threads = get_num_threads()
    dweights, dbiases = partials_of(dweight, chunks), partials_of(dbias, chunks)
    _weight_gradient(
        threads, row_filler(dbias.dtype), x[0], dy, tuple(g), dweights, dbiases,
        empty((threads, g.OW * g.C), dbias.dtype),
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Each share is whole chunks of the rows of dy, which lie gated in its strip."""
    filler, x, dy, g, dweights, dbiases, row_buffers = unpack(packed)
    N, H, W, C, KH, KW, _, _, SH, SW, DH, DW, top, _, left, _, OH, OW = g
    chunks, flat, s = len(dweights), row_buffers.reshape(-1), thread * row_buffers.shape[1]
    filters, biases = dweights.reshape(-1), dbiases.reshape(-1)
    gradients, gate, spread = dy
    later, gates = gradients, gate if gate.size > 0 else gradients
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        dweights[chunk, :] = 0
        dbiases[chunk, :] = 0
        for r in range(chunk * N * OH // chunks, (chunk + 1) * N * OH // chunks):
            n, oh = r // OH, r % OH
            fill_row(filler, dy, (N, OH, OW, C), n, oh, 0, OW, 0, C, flat, s)
            h, w, ow = oh * SH - top, -left, 0
            i0, i1 = seen(h, DH, KH, H)
            next_ = (r + 1) * OW * C if spread.size == 0 else 0
            while ow < OW:
                j0, j1, run = pixels_alike(w, DW, SW, KW, W, OW - ow)
                _add_products(
                    x, ((n * H + h + i0 * DH) * W + w + j0 * DW) * C, DH * W * C, DW * C, SW * C, flat, s + ow * C,
                    filters, chunk * dweights.shape[1] + (i0 * KW + j0) * C, KW * C, i1 - i0, j1 - j0, biases,
                    chunk * C, run, C, later, gates, next_ + ow * C,
                )  # fmt: skip
                w += run * SW
                ow += run


@intrinsic
def _add_products(
    typingctx, x, a, a_i, a_j, a_m, d, d0, sums, s0, s_i, I, J, biases, b0, count, channels, N, gates, n0
):  # fmt: skip
    """sums[s0 + i*s_i + j*channels + c] += sum over m < count of d[d0 + m*channels + c] * X

    for i < I, j < J and c < channels, where X = x[a + i*a_i + j*a_j + m*a_m + c]; biases[b0 + c] += the sum of d.
    Meanwhile as many elements of N and of gates as of d, from n0 on, come from memory; they need not exist.
    """
    kind = require_vectors("add_products", x, d, sums, biases, N, gates)
    n = types.intp
    signature = types.void(x, n, n, n, n, d, n, sums, n, n, n, n, biases, n, n, n, N, gates, n)

    def codegen(context, builder, signature, values):
        x, a, a_i, a_j, a_m, d, d0, sums, s0, s_i, I, J, *rest = values
        biases, b0, count, channels, N, gates, n0 = rest
        kinds = signature.args
        v = Vectors(builder, kind)
        px = pointer_to(context, builder, kinds[0], x, a)
        pd = pointer_to(context, builder, kinds[5], d, d0)
        ps = pointer_to(context, builder, kinds[7], sums, s0)
        pb = pointer_to(context, builder, kinds[12], biases, b0)
        later = [
            pointer_to(context, builder, kinds[16 + k], array, n0)
            for k, array in enumerate((N, gates))
        ]

        def some(m, pixels, c, mask):
            """The products of the pixels m, m + 1, ..."""
            places = [builder.add(m, int64(p)) for p in range(pixels)]
            gradients = [builder.add(builder.mul(place, channels), c) for place in places]
            for pointer, place in product(later, gradients):
                v.prefetch(builder.gep(pointer, [place]), writing=False)
            gradients = [v.load(builder.gep(pd, [place]), mask) for place in gradients]
            bias = builder.gep(pb, [c])
            v.store(reduce(builder.fadd, gradients, v.load(bias, mask)), bias, mask)
            first = builder.gep(px, [builder.add(builder.mul(m, a_m), c)])
            groups, offsets = v.spaced(first, a_m, pixels)
            prefetch_below(v, first, I, a_i, a_j, a_m, pixels)

            def over_j(ps, *groups):
                totals = [v.load(ps, mask), v.zero]  # which do not wait for one another
                for p, (group, offset) in enumerate(offsets):
                    pixel = v.load(builder.gep(groups[group], [offset]), mask)
                    totals[p % 2] = v.fma(pixel, gradients[p], totals[p % 2])
                v.store(builder.fadd(*totals), ps, mask)
                return [builder.gep(ps, [channels]), *(builder.gep(p, [a_j]) for p in groups)]

            def over_i(ps, *groups):
                v.repeat(J, [ps, *groups], over_j)
                return [builder.gep(ps, [s_i]), *(builder.gep(p, [a_i]) for p in groups)]

            v.repeat(I, [builder.gep(ps, [c]), *groups], over_i)

        by_pixels(
            builder,
            count,
            lambda m, pixels: v.for_each(channels, lambda c, mask: some(m, pixels, c, mask)),
        )
        return context.get_dummy_value()

    return signature, codegen
