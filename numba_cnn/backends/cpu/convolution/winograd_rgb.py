"""Winograd's forward pass for images in colour: three channels, and filters that fill whole panels.

So few channels are no vector. A row of patches is transformed as vectors of pixels instead, and the
products of a patch stay in registers, from the filters to the outputs.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.convolution.row_buffers import fill_row, row_filler
from numba_cnn.backends.cpu.convolution.winograd_choice import (
    caches_filters,
    is_rgb,
    transforms_pay,
)
from numba_cnn.backends.cpu.convolution.winograd_filters import transformed_filters
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    COLOUR_ROW,
    PLANES,
    coloured_outputs,
    input_rows,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_PATCHES = 64  # the most that are computed side by side

ALGORITHM = "winograd"


def supports(problem):
    return problem.g.winograd and is_rgb(problem)


def pays(problem):
    return transforms_pay(problem)


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py; y is written as a whole."""
    panels = transformed_filters(weight, filters, caches_filters(problem), 0)
    threads = get_num_threads()
    _forward(
        threads, row_filler(y.dtype), source, problem.image, problem.window[6:], panels, bias, problem.filters,
        problem.output, y.dtype.type(0 if relu else -np.inf), y.reshape(-1),
        empty((threads, (6 + 6 + PLANES) * COLOUR_ROW), y.dtype),
    )  # fmt: skip


@kernel
def _forward(share, shares, thread, packed):
    """Each share is rows of at most MAX_PATCHES patches; the arguments are those of winograd.py's kernel.

    A row is transformed at every pixel, though a patch begins at each fourth only: so vectors need not be gathered.
    """
    filler, source, image, padding, panels, bias, F, output, floor, y, scratch = unpack(packed)
    (N, H, W, C), (OH, OW), (top, left) = image, output, padding
    down, across = -(-OH // 4), -(-OW // 4)
    flat, row = scratch.reshape(-1), COLOUR_ROW
    S = thread * scratch.shape[1]
    T = S + 6 * row
    V = T + 6 * row
    filters, stride = panels.reshape(-1), panels.shape[1]
    x, gate, spread = source
    plain = gate.size == 0 and spread.size == 0
    nontemporal = bypasses_caches(y, F)
    pieces = -(-across // MAX_PATCHES)
    tasks = N * down * pieces
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        r, j0 = task // pieces, task % pieces * MAX_PATCHES
        n, i = r // down, r % down
        count = min(MAX_PATCHES, across - j0)
        wide = 4 * count + 2
        h0, w0 = 4 * i - top, 4 * j0 - left
        a = ((n * H + h0) * W + w0) * C
        inside = h0 >= 0 and w0 >= 0 and h0 + 6 <= H and w0 + wide <= W
        if inside and plain and a + 5 * W * C + wide * C + lanes_of(y) <= x.size:
            input_rows((x, a, W * C), (flat, T, row), wide * C)
        else:
            for h in range(6):
                fill_row(
                    filler, (source, image), (n, h0 + h), (w0, wide), (0, C), (flat, S + h * row)
                )
            input_rows((flat, S, row), (flat, T, row), wide * C)
        for h in range(6):
            input_rows((flat, T + h * row, C), (flat, V + 6 * h * row, row), (wide - 5) * C)
        for p in range(panels.shape[0]):
            f, U = p * NR_VECTORS * lanes_of(y), (filters, p * stride)
            for j in range(j0, j0 + count):
                o = ((n * OH + 4 * i) * OW + 4 * j) * F + f
                coloured_outputs(
                    (flat, V + 4 * (j - j0) * C), U, (y, o, OW * F, F), (bias, f), (OH - 4 * i, OW - 4 * j),
                    (floor, nontemporal),
                )  # fmt: skip
