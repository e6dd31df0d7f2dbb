"""Depthwise convolutions of small images with 3x3 or 5x5 filters: each pixel is loaded once for all taps.

A strip of pixels, as wide as registers allow, is followed down the image: each row of it adds to as
many rows of outputs as a filter has. Where pixels of many channels lie 2 KiB apart, all of them share
a few sets of the first-level cache, and what was loaded for one row is gone when the next asks for
it. Large images take less time in the order in which they lie in memory, see depthwise.py.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.problem import WEIGHT_GRADIENT
from numba_cnn.backends.cpu.microkernels.depthwise_column import (
    WIDEST,
    column_weight,
    down,
    width_of,
)
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_IMAGE = 1 << 17  # the most elements of an image: half of a second-level cache
# The fewest bytes between pixels. Vectors shorter than a cache's line prefetch each line several times.
MIN_PIXEL_BYTES = 0 if VECTOR_BITS == 512 else 1024
# The fewest tasks of the weight gradient; from shapes alone, so that the order of summation does not depend on threads.
MIN_TASKS = 64

ALGORITHM = "direct"


def supports(problem):
    """Filters of 3x3 or 5x5 (a weight gradient: 3x3), and no more padding on either side than they reach over."""
    taps, *others, _, left = problem.window
    right = problem.output[1] + taps - 1 - problem.image[2] - left
    fits = taps in WIDEST and others == [taps, 1, 1, 1, 1] and max(left, right) < taps
    plain = problem.depthwise and not problem.pooled and not problem.spread
    return plain and fits and (taps == 3 or problem.of != WEIGHT_GRADIENT)


def pays(problem):
    _, H, W, C = problem.image
    return C * problem.dtype.itemsize >= MIN_PIXEL_BYTES and H * W * C <= MAX_IMAGE


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py."""
    start, (I, J), _, _ = filters
    window = problem.window
    floor = y.dtype.type(0 if relu else -np.inf)
    _forward(
        get_num_threads(), source, problem.image, window[6:], (window[0], WIDEST[window[0]]),
        weight.reshape(-1)[start:], (I.step, J.step), bias, output, floor, y.reshape(-1),
    )  # fmt: skip


@kernel
def _forward(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is vectors of channels of images.

    source   of images, see row_buffers.py
    image    (N, H, W, C) of the source
    padding  (top, left)
    taps     rows and columns of a filter; and the widest strip for them
    filters  one for each channel; tap (i, j) lies at i*b_i + j*b_j by the steps (b_i, b_j)
    output   (OH, OW, offset, image step, row step, column step) of y
    """
    source, image, padding, taps, filters, steps, bias, output, floor, y = unpack(packed)
    x, gate, _ = source
    N, H, W, C = image
    top, left = padding
    b_i, b_j = steps
    rows, widest = taps
    OH, OW, y0, y_n, y_h, y_w = output
    gates = gate if gate.size > 0 else x
    nontemporal = bypasses_caches(y, y0 | y_n | y_h | y_w | C)
    VL = lanes_of(y)
    vectors = -(-C // VL)
    for task in range(share * N * vectors // shares, (share + 1) * N * vectors // shares):
        n, c = task // vectors, task % vectors * VL
        a, o = n * H * W * C + c, y0 + n * y_n + c
        ow = 0
        while ow < OW:
            width = width_of(widest, OW - ow)
            down(
                rows, (width, OH, C - c), (x, gates, a, gate.size > 0), (H, W, C), (-top, ow - left),
                filters=(filters, c, b_i, b_j), bias=(bias, c), y=(y, o + ow * y_w, y_h, y_w),
                epilogue=(floor, nontemporal),
            )  # fmt: skip
            ow += width


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py."""
    N, _, _, C = problem.image
    chunks = min(N, -(-MIN_TASKS // -(-C // lanes(dbias.dtype))))
    dweights, dbiases = partials_of(dweight, chunks), partials_of(dbias, chunks)
    _weight_gradient(
        get_num_threads(), x[0], problem.image, problem.window[6:], WIDEST[3], dy, problem.output, dweights, dbiases
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Each share is vectors of channels of chunks of the images."""
    x, image, padding, widest, dy, output, dweights, dbiases = unpack(packed)
    N, H, W, C = image
    top, left = padding
    OH, OW = output
    gradients, gate, _ = dy
    gates = gate if gate.size > 0 else gradients
    filters, biases = dweights.reshape(-1), dbiases.reshape(-1)
    VL = lanes_of(x)
    chunks, vectors = len(dweights), -(-C // VL)
    for task in range(share * chunks * vectors // shares, (share + 1) * chunks * vectors // shares):
        chunk, c = task // vectors, task % vectors * VL
        f, last = chunk * 9 * C + c, min(c + VL, C)
        for tap in range(9):
            dweights[chunk, tap * C + c : tap * C + last] = 0
        dbiases[chunk, c:last] = 0
        for n in range(chunk * N // chunks, (chunk + 1) * N // chunks):
            a, d = n * H * W * C + c, n * OH * OW * C + c
            ow = 0
            while ow < OW:
                width = width_of(widest, OW - ow)
                column_weight(
                    (width, C - c), (x, a), (H, W, C), (-top, ow - left), (gradients, gates, d, gate.size > 0),
                    (OH, OW, ow), sums=(filters, f), biases=(biases, chunk * C + c),
                )  # fmt: skip
                ow += width
