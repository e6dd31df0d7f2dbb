"""The weight gradient of 3x3 filters over images of at most three channels, such as a network's first.

All taps of a vector of filters fit into registers at once, so gradients go from where they lie
straight into the products. Of pooled ones only a quarter of the products are not 0: an output's
gradient came from one of 2x2 windows, and which part of the image that window saw is picked by a
permutation of the 4x4 pixels under all of them, lane by lane.

Only for float32 on vectors of 512 bits: sixteen lanes hold 4x4 pixels, 32 registers the sums.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64
from numba_cnn.backends.cpu.convolution.row_buffers import fill_row, row_filler
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_CHANNELS = 3  # of an image
K = 3  # the filters' height and width
SIDE = K + 1  # of the pixels under the four windows of a pooled output
LANES = SIDE * SIDE
MAX_CHUNKS = (
    16  # of rows; from shapes alone, so that the order of summation does not depend on threads
)

ALGORITHM = "direct"


def supports(problem):
    vectors = VECTOR_BITS == 512 and problem.dtype == np.float32
    return vectors and problem.g.winograd and problem.image[3] <= MAX_CHANNELS


def pays(problem):
    return True


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py."""
    image, (OH, OW) = problem.image, problem.output
    step = 2 if dy[2].size > 0 else 1
    rows, pixels = image[0] * (OH // step), OW // step
    chunks, threads = min(MAX_CHUNKS, rows), get_num_threads()
    dweights, dbiases = partials_of(dweight, chunks), partials_of(dbias, chunks)
    strip = (step + K - 1) * (step * pixels + K - 1) * image[3]
    scratch = empty((threads, pixels * image[3] * LANES + strip), dbias.dtype)
    _weight_gradient(
        threads, row_filler(dbias.dtype), x, image, problem.window[6:], dy, (OH // step, pixels, step), scratch,
        dweights, dbiases,
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Partial sums of the gradients of filters and bias; each share is whole chunks of rows of dy.

    x, dy    sources of images, see row_buffers.py
    image    (N, H, W, C) of x
    padding  (top, left)
    output   (OH, OW, step) as dy lies in memory; step is 2 where it is pooled, else 1
    scratch  (threads, elements): a row's pixels as permutations take them, and the padded rows that it reads
    """
    filler, x, image, padding, dy, output, scratch, dweights, dbiases = unpack(packed)
    N, H, W, C = image
    top, left = padding
    OH, OW, step = output
    height, wide = step + K - 1, step * OW + K - 1
    flat, p0 = scratch.reshape(-1), thread * scratch.shape[1]
    s0 = p0 + OW * C * LANES
    chunks = len(dweights)
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        for t in range(dweights.shape[1]):
            dweights[chunk, t] = 0
        for f in range(dbiases.shape[1]):
            dbiases[chunk, f] = 0
        for r in range(chunk * N * OH // chunks, (chunk + 1) * N * OH // chunks):
            n, h = r // OH, r % OH * step - top
            if h >= 0 and h + height <= H and left <= 0 and wide - left <= W:
                source, a, a_row = x[0], ((n * H + h) * W - left) * C, W * C
            else:
                source, a, a_row = flat, s0, wide * C
                for i in range(height):
                    at = flat, s0 + i * wide * C
                    fill_row(filler, (x, image), (n, h + i), (-left, wide), (0, C), at)
            _add_row(
                (source, a, a_row), C, dy, r * OW, OW, step, (flat, p0),
                (dweights.reshape(-1), chunk * dweights.shape[1]), (dbiases.reshape(-1), chunk * dbiases.shape[1]),
                dbiases.shape[1],
            )  # fmt: skip


@inline
def _add_row(rows, C, dy, o, pixels, step, squares, dweight, dbias, F):
    """The products of one row of gradients, which begins at pixel o, a vector of filters after the other.

    rows       (array, start, elements from row to row) of x under it
    squares    (array, start) of the scratch, dweight and dbias likewise
    """
    gradients, gate, argmax = dy
    (scratch, s), (weights, w), (biases, b) = squares, dweight, dbias
    if step == 2:
        _fill_squares((pixels, C), rows, squares)
    for f in range(0, F, LANES):
        row = gradients, gate, argmax, o * F + f, gate.size > 0
        shape = pixels, C, F - f, F
        if step == 2:
            _add_squares(shape, (scratch, s, 0), row, (weights, w + f), (biases, b + f))
        else:
            _add_pixels(shape, rows, row, (weights, w + f), (biases, b + f))


@emitted(shape="nn", x="an", squares="a")
def _fill_squares(v, shape, x, squares):
    """squares[(q*C + c)*16 + 4*i + j] = x[i*a_row + (2*q + j)*C + c] for q < count, c < C, i < 4, j < 4.

    shape   (count, C)
    x       (array, start, a_row)
    """
    b, (count, C), (x, a_row) = v.builder, shape, x

    def fill(channels):
        def body(corner, target):
            rows = [b.gep(corner, [b.mul(a_row, int64(i))]) for i in range(SIDE + 2)]
            for new in rows[SIDE:]:  # to the next row of squares
                v.prefetch(new, writing=False)
            mask = v.mask(int64(SIDE * channels))
            rows = [v.load(row, mask) for row in rows[:SIDE]]
            for c in range(channels):
                pixels = [j * channels + c for j in range(SIDE)]
                places = [lane + k * LANES for k in (0, 1) for lane in pixels] * 2
                upper, lower = (v.shuffle(*rows[i : i + 2], places) for i in (0, 2))
                halves = [lane + k * LANES for k in (0, 1) for lane in range(LANES // 2)]
                v.store(v.shuffle(upper, lower, halves), b.gep(target, [int64(c * LANES)]))
            steps = int64(2 * channels), int64(LANES * channels)
            return [b.gep(p, [step]) for p, step in zip((corner, target), steps, strict=True)]

        v.repeat(count, [x, squares], body)

    _by_channels(b, C, fill)


class _Row(NamedTuple):
    """A row of gradients for a vector of filters, as LLVM values; `gate` and `argmax` lie like dy."""

    x: ir.Value
    x_row: ir.Value
    dy: ir.Value
    gate: ir.Value
    ungated: ir.Value
    argmax: ir.Value
    ahead: ir.Value
    mask: ir.Value

    def gradients(self, v, dy, gate):
        """The gradients at dy, 0 where the gate is closed; those of the next row are prefetched."""
        b = v.builder
        for pointer in (dy, gate):
            v.prefetch(b.gep(pointer, [self.ahead]), writing=False)
        open_ = b.fcmp_ordered(">", v.load(gate, self.mask), v.zero)
        return b.select(b.or_(open_, self.ungated), v.load(dy, self.mask), v.zero)


def _pixel_products(v, row, channels, pointers, totals):
    """The taps of one output: pixels under a window, row by row as they lie, times its gradients."""
    b = v.builder
    x, dy, gate, _ = pointers
    gradients = row.gradients(v, dy, gate)
    across = K * channels
    for t in range(K * across):
        tap = b.gep(x, [b.mul(row.x_row, int64(t // across))])
        pixel = v.splat(b.load(b.gep(tap, [int64(t % across)])))
        totals[t] = v.fma(pixel, gradients, totals[t])
    return gradients, channels


def _square_products(v, row, channels, pointers, totals):
    """The taps of one pooled output: of its 4x4 pixels, those under the window that argmax names."""
    b = v.builder
    square, dy, gate, argmax = pointers
    gradients = row.gradients(v, dy, gate)
    v.prefetch(b.gep(argmax, [row.ahead]), writing=False)
    place = v.load_int(argmax, row.mask)
    # 0, 1, 2, 3 begin at the pixels 0, 1, 4, 5.
    corner = b.add(place, b.and_(place, v.splat_int(int64(2))))
    for tap in range(K * K):
        lanes = b.add(corner, v.splat_int(int64(tap // K * SIDE + tap % K)))
        for c in range(channels):
            pixels = v.permute(v.load(b.gep(square, [int64(c * LANES)])), lanes)
            t = tap * channels + c
            totals[t] = v.fma(pixels, gradients, totals[t])
    return gradients, LANES * channels


def _add_products(products):
    """A micro-kernel that adds the products of a row of gradients, for a vector of filters, to dweight and dbias."""

    @emitted(shape="nnnn", x="an", dy="aau?", dweight="a", dbias="a")
    def add(v, shape, x, dy, dweight, dbias):
        """The products of one row.

        shape    (pixels, channels, filters that are left, F)
        x        (array, start, row step)
        dy       (array, gate, argmax, start, gated)
        """
        b, (count, channels, columns, F), (x, x_row) = v.builder, shape, x
        dy, gate, argmax, gated = dy
        ungated = b.not_(gated)
        gate = b.select(ungated, dy, gate)
        row = _Row(
            x, x_row, dy, gate, v.splat_bit(ungated), argmax, b.mul(F, count), v.mask(columns)
        )

        def body(C):
            def step(*values):
                pointers, (total, *totals) = values[:4], values[4:]
                gradients, further = products(v, row, C, pointers, totals)
                steps = int64(further), F, F, F
                pointers = [b.gep(p, [s]) for p, s in zip(pointers, steps, strict=True)]
                return [*pointers, b.fadd(total, gradients), *totals]

            targets = [dbias]
            targets += [b.gep(dweight, [b.mul(F, int64(t))]) for t in range(K * K * C)]
            totals = [v.load(target, row.mask) for target in targets]
            start = [row.x, row.dy, row.gate, row.argmax, *totals]
            sums = v.repeat(count, start, step)[4:]
            for target, total in zip(targets, sums, strict=True):
                v.store(total, target, row.mask)

        _by_channels(b, channels, body)

    return add


_add_pixels = _add_products(_pixel_products)
_add_squares = _add_products(_square_products)


def _by_channels(builder, channels, emit):
    """emit(C) for the number of channels there are."""
    for C in range(1, MAX_CHANNELS + 1):
        with builder.if_then(builder.icmp_signed("==", channels, int64(C))):
            emit(C)
