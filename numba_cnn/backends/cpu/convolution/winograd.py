"""Winograd's F(4x4, 3x3) for 3x3 filters at stride 1: forward and input gradient.

Output is cut into patches of 4x4; a patch reads 6x6 pixels. The transformed patches V (36, patches,
C) times the transformed filters U (36, C, F) are 36 products of matrices, which run on the register
tile; see winograd_transforms.py for the rest.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.packing import panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import row_filler
from numba_cnn.backends.cpu.convolution.winograd_choice import caches_filters, transforms_pay
from numba_cnn.backends.cpu.convolution.winograd_filters import transformed_filters
from numba_cnn.backends.cpu.convolution.winograd_patches import (
    store_outputs,
    transform_patches,
)
from numba_cnn.backends.cpu.microkernels.brgemm import BY_ROWS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    PLANES,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

# The most patches in a block: their planes and one panel of products fit into the second-level cache.
MAX_PATCHES = 48
# With fewer patches for each thread, threads split the filters instead, whose reading dominates then.
MIN_PATCHES_PER_THREAD = 2 * MR
MAX_PLANE = 1 << 16  # the most elements of the transformed patches of a block, about

ALGORITHM = "winograd"


def supports(problem):
    return problem.g.winograd


def pays(problem):
    return transforms_pay(problem)


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py; y is written as a whole."""
    N, H, W, C = image = problem.image
    OH, OW = problem.output
    F = problem.filters
    VL = lanes(y.dtype)
    panels = transformed_filters(weight, filters, caches_filters(problem), VL)
    across = -(-OW // 4)
    patches = max(MR, min(MAX_PATCHES, MAX_PLANE // C // MR * MR))
    threads = get_num_threads()
    total = N * -(-OH // 4)
    few = threads > 1 and total * across < threads * MIN_PATCHES_PER_THREAD
    parts = len(panels) if few else 1
    rows = evenly(min(total, -(-total * parts // threads)), max(1, patches // across))
    size = rows * across
    plane = size * -(-C // VL) * VL + VL
    plane_M = size * NR_VECTORS * VL + VL
    row_buffers = (4 * rows + 2 * (1 + rows // -(-OH // 4) + 1)) * (4 * across + 2) * C
    scratch = empty((threads, PLANES * (plane + plane_M) + row_buffers), y.dtype)
    _forward(
        threads, brgemm.address(y.dtype), row_filler(y.dtype), source, image, problem.window[6:], panels, bias, F,
        problem.output, y.dtype.type(0 if relu else -np.inf), y.reshape(-1), argmax, rows, parts,
        constant(0, NR_VECTORS * VL, y.dtype),
        plane, plane_M, scratch,
    )  # fmt: skip


@kernel
def _forward(share, shares, thread, packed):
    """Each share is whole blocks of rows of patches, or of their `parts`, of so many of the panels.

    image (N, H, W, C) of the source, padding (top, left), output (OH, OW); `plane` and `plane_M` are the elements from
    one of the 36 planes of V and M to the next, a vector more than they hold, which keeps them off the same cache sets.
    """
    (
        tile, filler, source, image, padding, panels, bias, F, output, floor, y, argmax, rows, parts, zeros, plane,
        plane_M, scratch,
    ) = unpack(packed)  # fmt: skip
    N, H, W, C = image
    OH, OW = output
    down, across = -(-OH // 4), -(-OW // 4)
    VL = lanes_of(y)
    C_row = -(-C // VL) * VL
    width = NR_VECTORS * VL
    flat = scratch.reshape(-1)
    V = thread * scratch.shape[1]
    M = V + PLANES * plane
    S = M + PLANES * plane_M
    none = y.dtype.type(-np.inf)
    all_panels = panels.reshape(-1)
    tasks = -(-N * down // rows) * parts
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        block, part = task // parts, task % parts
        r0, r1 = block * rows, min((block + 1) * rows, N * down)
        patches = (down, across), (r0, r1)
        transform_patches(
            filler, (source, image), padding, patches, (0, C), (flat, S), (flat, V, plane, C_row)
        )
        count = (r1 - r0) * across
        for p in range(part * len(panels) // parts, (part + 1) * len(panels) // parts):
            f = p * width
            wide = panel_width(F - f, y)
            for z in range(PLANES):
                U = p * panels.shape[1] + z * (panels.shape[1] // PLANES)
                brgemm(
                    tile, (count, wide), (1, 1, C), C=(flat, M + z * plane_M, wide), I=(zeros, 0, 0),
                    A=(flat, V + z * plane, 0, 0, C_row, BY_ROWS), B=(all_panels, U, wide), epilogue=(none, False),
                    N=(flat, 0, 0, 0),
                )  # fmt: skip
            store_outputs(
                (flat, M, plane_M), (f, wide, F), (bias, floor), (y, argmax, output), ((down, across), r0, count)
            )  # fmt: skip


def evenly(total, most):
    """How many at a time, at most, so that no time has much less than another."""
    return -(-total // -(-total // most))
