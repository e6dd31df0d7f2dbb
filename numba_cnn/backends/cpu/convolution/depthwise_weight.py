"""The weight gradient of depthwise convolutions of any size; see depthwise.py."""

from functools import reduce
from itertools import product

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64
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
        threads, row_filler(dbias.dtype), x[0], dy, g, dweights, dbiases,
        empty((threads, g.OW * g.C), dbias.dtype),
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Each share is whole chunks of the rows of dy, which lie gated in its strip."""
    filler, x, dy, g, dweights, dbiases, row_buffers = unpack(packed)
    H, W, C, OH, OW = g.H, g.W, g.C, g.OH, g.OW
    chunks, flat, s = len(dweights), row_buffers.reshape(-1), thread * row_buffers.shape[1]
    filters, biases = dweights.reshape(-1), dbiases.reshape(-1)
    gradients, gate, spread = dy
    later, gates = gradients, gate if gate.size > 0 else gradients
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        dweights[chunk, :] = 0
        dbiases[chunk, :] = 0
        for r in range(chunk * g.N * OH // chunks, (chunk + 1) * g.N * OH // chunks):
            n, oh = r // OH, r % OH
            fill_row(filler, (dy, (g.N, OH, OW, C)), (n, oh), (0, OW), (0, C), (flat, s))
            h, w, ow = oh * g.SH - g.top, -g.left, 0
            i0, i1 = seen(h, g.DH, g.KH, H)
            next_ = (r + 1) * OW * C if spread.size == 0 else 0
            while ow < OW:
                j0, j1, run = pixels_alike(w, g.DW, g.SW, g.KW, W, OW - ow)
                pixel = ((n * H + h + i0 * g.DH) * W + w + j0 * g.DW) * C
                tap = chunk * dweights.shape[1] + (i0 * g.KW + j0) * C
                _add_products(
                    (run, C), (i1 - i0, j1 - j0), (x, pixel, g.DH * W * C, g.DW * C, g.SW * C), (flat, s + ow * C),
                    sums=(filters, tap, g.KW * C), biases=(biases, chunk * C), later=(later, gates, next_ + ow * C),
                )  # fmt: skip
                w += run * g.SW
                ow += run


@emitted(shape="nn", taps="nn", x="annn", d="a", sums="an", biases="a", later="aa")
def _add_products(v, shape, taps, x, d, sums, biases, later):
    """sums[i*s_i + j*channels + c] += sum over m < count of d[m*channels + c] * x[i*a_i + j*a_j + m*a_m + c]

    for i < I, j < J and c < channels; biases[c] += the sum of d.

    shape     (count, channels)
    taps      (I, J)
    x         (array, start, a_i, a_j, a_m)
    d         (array, start), biases likewise
    sums      (array, start, s_i)
    later     (array, gates, start): as many elements of both as of d come from memory meanwhile; they need not exist
    """
    (count, channels), (I, J), (x, a_i, a_j, a_m), (sums, s_i) = shape, taps, x, sums
    b = v.builder

    def some(m, pixels, c, mask):
        """The products of the pixels m, m + 1, ..."""
        places = [b.add(m, int64(p)) for p in range(pixels)]
        gradients = [b.add(b.mul(place, channels), c) for place in places]
        for pointer, place in product(later, gradients):
            v.prefetch(b.gep(pointer, [place]), writing=False)
        gradients = [v.load(b.gep(d, [place]), mask) for place in gradients]
        bias = b.gep(biases, [c])
        v.store(reduce(b.fadd, gradients, v.load(bias, mask)), bias, mask)
        first = b.gep(x, [b.add(b.mul(m, a_m), c)])
        groups, offsets = v.spaced(first, a_m, pixels)
        prefetch_below(v, first, I, a_i, a_j, a_m, pixels)

        def over_j(ps, *groups):
            totals = [v.load(ps, mask), v.zero]  # which do not wait for one another
            for p, (group, offset) in enumerate(offsets):
                pixel = v.load(b.gep(groups[group], [offset]), mask)
                totals[p % 2] = v.fma(pixel, gradients[p], totals[p % 2])
            v.store(b.fadd(*totals), ps, mask)
            return [b.gep(ps, [channels]), *(b.gep(p, [a_j]) for p in groups)]

        def over_i(ps, *groups):
            v.repeat(J, [ps, *groups], over_j)
            return [b.gep(ps, [s_i]), *(b.gep(p, [a_i]) for p in groups)]

        v.repeat(I, [b.gep(sums, [c]), *groups], over_i)

    def of_channels(m, pixels):
        v.for_each(channels, lambda c, mask: some(m, pixels, c, mask))

    by_pixels(b, count, of_channels)
