"""Winograd's algorithm for many channels, where all patches are transformed first.

Where patches are few, filters are much larger than images: each panel of them is transformed on its
way into the products and never stored.

Where two cores have no cache in common, to write a line that the other one has read takes 25 ns on Zen 4, ten times as
long as to read what it has written. So each thread transforms the patches for itself, which takes two of
them no longer than to share the work.
"""

from typing import NamedTuple

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.packing import pack_transposed, panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import row_filler
from numba_cnn.backends.cpu.convolution.winograd_choice import (
    caches_filters,
    is_nonfused,
    patches,
    transforms_pay,
)
from numba_cnn.backends.cpu.convolution.winograd_patches import (
    store_outputs,
    transform_patches,
)
from numba_cnn.backends.cpu.microkernels.brgemm import BY_ROWS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.copy import copy_rows
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    PLANES,
    filter_transform,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.scheduler import LINE_WORDS
from numba_cnn.backends.cpu.runtime.threads import get_num_threads
from numba_cnn.backends.cpu.runtime.zero_fill import zero_fill

# The most channels of a block of transformed filters, which stays in the second-level cache.
MAX_BLOCK = 128
# The fewest patches for which blocks are twice as long: each block loads and stores the sums of all patches.
MIN_PATCHES_LONG_BLOCKS = 64
PATCHES_AT_ONCE = 24  # that are transformed one after the other, about

ALGORITHM = "winograd"


class Planes(NamedTuple):
    """Where the transforms of the patches of a batch lie: (36, blocks of channels, patches, channels of a block)."""

    patches: int
    block: int
    step: int  # from plane to plane
    size: int


def planes_of(patches, channels, block, VL):
    block = min(block, -(-channels // VL) * VL)
    step = -(-channels // block) * patches * block + VL
    return Planes(patches, block, step, PLANES * step)


def supports(problem):
    """Filters whose transforms a recording keeps need not be transformed again, which is all that is saved here."""
    return problem.g.winograd and not caches_filters(problem)


def pays(problem):
    return is_nonfused(problem) and transforms_pay(problem)


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py; y is written as a whole."""
    image, output = problem.image, problem.output
    start, (i, j), rows, columns = filters
    steps = start, i.step, j.step, rows.step, columns.step
    VL = lanes(y.dtype)
    threads = get_num_threads()
    count = patches(problem)
    block = MAX_BLOCK if count < MIN_PATCHES_LONG_BLOCKS else 2 * MAX_BLOCK
    planes = planes_of(count, image[3], block, VL)
    extents, strip = extents_of(image, output, planes.block)
    width = NR_VECTORS * VL
    U_step, M_step = planes.block * width + VL, planes.patches * width + VL
    scratch = empty(
        (threads, planes.size + PLANES * (U_step + M_step) + max(9 * U_step, strip)), y.dtype
    )
    transformed = empty((threads * LINE_WORDS,), np.int64)
    zero_fill(transformed)
    _multiply(
        threads, brgemm.address(y.dtype), row_filler(y.dtype), source, image, problem.window[6:], extents,
        tuple(planes), transformed, weight.reshape(-1), steps, bias, columns.count, output,
        y.dtype.type(0 if relu else -np.inf), y.reshape(-1), argmax, constant(0, width, y.dtype), U_step,
        M_step, scratch,
    )  # fmt: skip


def extents_of(image, output, block):
    """((rows of patches in an image, patches in a row, rows that are transformed at once), elements of a strip)."""
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    rows = max(1, PATCHES_AT_ONCE // across)
    return (down, across, rows), (4 * rows + 2 * (2 + rows // down)) * (4 * across + 2) * block


@kernel
def _multiply(share, shares, thread, packed):
    """Each share is whole panels of filters: their transforms, the products with all patches, the outputs.

    A thread transforms all patches before its first panel, and notes in `transformed` that it has.
    """
    (
        tile, filler, source, image, padding, extents, planes, transformed, weight, filters, bias, F, output, floor, y,
        argmax, zeros, U_step, M_step, scratch,
    ) = unpack(packed)  # fmt: skip
    C, (down, across, _), (count, block, V_step, size) = image[3], extents, planes
    width = NR_VECTORS * lanes_of(y)
    none = y.dtype.type(-np.inf)
    flat = scratch.reshape(-1)
    V = thread * scratch.shape[1]
    M = V + size
    U = M + PLANES * M_step
    S = U + PLANES * U_step
    panels = -(-F // width)
    for p in range(share * panels // shares, (share + 1) * panels // shares):
        if transformed[thread * LINE_WORDS] == 0:
            transformed[thread * LINE_WORDS] = 1
            _transform_all(filler, (source, image), padding, extents, planes, (flat, S), (flat, V))
        f = p * width
        wide = panel_width(F - f, y)
        for c in range(0, C, block):
            channels = min(block, C - c)
            rows, columns = (c, channels), (f, min(wide, F - f), wide)
            _transform_filters((weight, filters), rows, columns, (flat, S), (flat, U, U_step))
            for z in range(PLANES):
                m = M + z * M_step
                initial, i0, i_m = (zeros, 0, 0) if c == 0 else (flat, m, wide)
                v = V + z * V_step + c * count
                brgemm(
                    tile, (count, wide), (1, 1, channels), C=(flat, m, wide), I=(initial, i0, i_m),
                    A=(flat, v, 0, 0, block, BY_ROWS), B=(flat, U + z * U_step, wide), epilogue=(none, False),
                    N=(flat, v + MR * block, MR, MR * block),
                )  # fmt: skip
        patches = (down, across), 0, count
        store_outputs((flat, M, M_step), (f, wide, F), (bias, floor), (y, argmax, output), patches)


@inline
def _transform_all(filler, images, padding, extents, planes, row_buffer, V):
    """The transforms of all patches, block by block of their channels; V is (array, start)."""
    (N, _, _, C), (down, across, rows), (count, block, V_step, _) = images[1], extents, planes
    for r in range(0, N * down, rows):
        patches = (down, across), (r, min(r + rows, N * down))
        for c in range(0, C, block):
            target = V[0], V[1] + c * count + r * across * block, V_step, block
            channels = c, min(block, C - c)
            transform_patches(filler, images, padding, patches, channels, row_buffer, target)


@inline
def _transform_filters(filters, rows, columns, scratch, U):
    """U (36, rows, wide): the transforms of some rows of a panel; they are gathered first.

    filters   (weight, (start, steps of i, j, rows and columns))
    rows      (first, how many)
    columns   (first, how many, wide)
    scratch   (array, start)
    U         (array, start, plane step)
    """
    weight, (start, i_step, j_step, r_step, f_step) = filters
    (r, count), (f, present, wide), (flat, S), (target, U, step) = rows, columns, scratch, U
    start += r * r_step + f * f_step
    for i in range(3):
        for j in range(3):
            o, s = start + i * i_step + j * j_step, S + (3 * i + j) * step
            if f_step == 1:
                copied = weight, weight, o, False, r_step
                copy_rows(copied, (flat, s, wide), (count, present, wide))
            else:
                pack_transposed(weight, o, f_step, count, present, flat, s, wide)
    for k in range(count):
        s, u = S + k * wide, U + k * wide
        filter_transform((flat, s, 3 * step, step), (target, u, 6 * step, step), present)
