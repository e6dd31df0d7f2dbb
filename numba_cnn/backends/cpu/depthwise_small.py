"""Depthwise convolutions of small images with 3x3 or 5x5 filters: each pixel is loaded once for all taps.

A strip of pixels, as wide as registers allow, is followed down the image: each row of it adds to as
many rows of outputs as a filter has. Where pixels of many channels lie 2 KiB apart, all of them share
a few sets of the first-level cache, and what was loaded for one row is gone when the next asks for
it. Large images take less time in the order in which they lie in memory, see depthwise.py.
"""

import numpy as np

from numba_cnn.backends.cpu.chunks import add_chunks, chunks_of
from numba_cnn.backends.cpu.depthwise_strip import WIDEST, at, down, down_weight, width_of
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.streams import is_streamed
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import lanes_of
from numba_cnn.backends.cpu.vector import BITS, lanes

SMALL = 1 << 17  # elements of an image, at most: half of a second-level cache
# Bytes between pixels, at least. Shorter vectors than a cache's line ask for it several times.
APART = 0 if BITS == 512 else 1024
# Of the weight gradient, at least; from shapes alone, so that the order of summation does not depend on threads.
TASKS = 64


def takes(source, image, window, output):
    """Whether images are small and lie as they are, with no more padding on either side than filters reach over."""
    _, H, W, C = image
    taps, *others, _, left = window
    right = output[1] + taps - 1 - W - left
    fits = taps in WIDEST and others == [taps, 1, 1, 1, 1] and max(left, right) < taps
    lies = source[2].size == 0 and C * source[0].itemsize >= APART
    return fits and lies and H * W * C <= SMALL


def takes_gradients(source, image, window, output):
    """Whether correlate_weight() can: of filters of 3x3 only."""
    return window[0] == 3 and takes(source, image, window, output)


def correlate(source, image, window, filters, steps, bias, output, relu, y):
    """y = act(bias + windows of x times filters); the arguments are those of the kernel below."""
    floor = y.dtype.type(0 if relu else -np.inf)
    _correlate(
        get_num_threads(), source, image, window[6:], (window[0], WIDEST[window[0]]), filters, steps, bias, output,
        floor, y.reshape(-1),
    )  # fmt: skip


@kernel
def _correlate(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is vectors of channels of images.

    source   of images, see strips.py
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
    streamed = is_streamed(y, y0 | y_n | y_h | y_w | C)
    VL = lanes_of(y)
    vectors = -(-C // VL)
    for task in range(share * N * vectors // shares, (share + 1) * N * vectors // shares):
        n, c = task // vectors, task % vectors * VL
        a, o = n * H * W * C + c, y0 + n * y_n + c
        ow = 0
        while ow < OW:
            width = width_of(widest, OW - ow)
            down(
                rows, width, at(x, a), at(gates, a), gate.size > 0, H, W, C, -top, ow - left, at(filters, c), b_i, b_j,
                at(bias, c), floor, at(y, o + ow * y_w), y_h, y_w, OH, C - c, streamed,
            )  # fmt: skip
            ow += width


def correlate_weight(x, dy, g, dweight, dbias):
    """dweight (3, 3, 1, C) and dbias (C,) for images x (N, H, W, C); dy is a source, see strips.py."""
    chunks = min(g.N, -(-TASKS // -(-g.C // lanes(x.dtype))))
    dweights, dbiases = chunks_of(dweight, chunks), chunks_of(dbias, chunks)
    _correlate_weight(
        get_num_threads(), x.reshape(-1), g.x, (g.top, g.left), WIDEST[3], dy, (g.OH, g.OW), dweights, dbiases
    )  # fmt: skip
    add_chunks(dweights, dweight)
    add_chunks(dbiases, dbias)


@kernel
def _correlate_weight(share, shares, thread, packed):
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
                down_weight(
                    width, at(x, a), H, W, C, -top, ow - left, at(gradients, d), at(gates, d), gate.size > 0, OH, OW,
                    ow, at(filters, f), at(biases, chunk * C + c), C - c,
                )  # fmt: skip
                ow += width
