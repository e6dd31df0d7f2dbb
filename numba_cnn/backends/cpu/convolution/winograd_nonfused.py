"""Winograd's algorithm for many channels, where all patches are transformed first.

Where patches are few, filters are much larger than images: each panel of them is transformed on its
way into the products and never stored. The weight gradient is a sum over many patches at once.

Where two cores have no cache in common, to write a line that the other one has read takes 25 ns on Zen 4, ten times as
long as to read what it has written. So each thread transforms the patches for itself, which takes two of
them no longer than to share the work, or has some of the images of a weight gradient to itself.
"""

from typing import NamedTuple

import numpy as np

from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.vector import lanes, lanes_of
from numba_cnn.backends.cpu.convolution import winograd_choice
from numba_cnn.backends.cpu.convolution.packing import pack_transposed, panel_width
from numba_cnn.backends.cpu.convolution.row_buffers import row_filler
from numba_cnn.backends.cpu.convolution.winograd_choice import (
    caches_filters,
    is_nonfused,
    patches,
    patches_of,
    transforms_pay,
)
from numba_cnn.backends.cpu.convolution.winograd_patches import (
    store_outputs,
    transform_gradients,
    transform_patches,
)
from numba_cnn.backends.cpu.microkernels.brgemm import MR, NR_VECTORS, brgemm, brgemm_address
from numba_cnn.backends.cpu.microkernels.copy import copy_rows
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    PLANES,
    filter_gradient_transform,
    filter_transform,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.scheduler import LINE_WORDS
from numba_cnn.backends.cpu.runtime.threads import get_num_threads
from numba_cnn.backends.cpu.runtime.zero_fill import zero_fill

# The most channels of a block of transformed filters, which stays in the second-level cache.
MAX_BLOCK = 128
# The fewest patches for which blocks are twice as long: each block loads and stores the sums of all patches.
MIN_PATCHES_LONG_BLOCKS = 64
# The most channels of a block of the weight gradient, whose sums stay in the second-level cache.
MAX_BLOCK_GRADIENT = 64
PATCHES_AT_ONCE = 24  # that are transformed one after the other, about
# The smallest transforms that are summed by halves of the batch, in times the size of the weights.
MIN_TRANSFORMS_HALVED = 8

ALGORITHM = "winograd"


class _Planes(NamedTuple):
    """Where the transforms of the patches of a batch lie: (36, blocks of channels, patches, channels of a block)."""

    patches: int
    block: int
    step: int  # from plane to plane
    size: int


def _planes(patches, channels, block, VL):
    block = min(block, -(-channels // VL) * VL)
    step = -(-channels // block) * patches * block + VL
    return _Planes(patches, block, step, PLANES * step)


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
    planes = _planes(count, image[3], block, VL)
    extents, strip = _extents(image, output, planes.block)
    width = NR_VECTORS * VL
    U_step, M_step = planes.block * width + VL, planes.patches * width + VL
    scratch = empty(
        (threads, planes.size + PLANES * (U_step + M_step) + max(9 * U_step, strip)), y.dtype
    )
    transformed = empty((threads * LINE_WORDS,), np.int64)
    zero_fill(transformed)
    _multiply(
        threads, brgemm_address(y.dtype), row_filler(y.dtype), source, image, problem.window[6:], extents,
        tuple(planes), transformed, weight.reshape(-1), steps, bias, columns.count, output,
        y.dtype.type(0 if relu else -np.inf), y.reshape(-1), argmax, constant(0, width, y.dtype), U_step,
        M_step, scratch,
    )  # fmt: skip


def _extents(image, output, block):
    """((rows of patches in an image, patches in a row, rows that are transformed at once), elements of a strip)."""
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    rows = max(1, PATCHES_AT_ONCE // across)
    return (down, across, rows), (4 * rows + 2 * (2 + rows // down)) * (4 * across + 2) * block


def _transformed(source, image, padding, output, planes, of_gradients):
    """The transforms of all patches of a batch of images, or of gradients."""
    threads = get_num_threads()
    extents, strip = _extents(image, output, planes.block)
    transformed = empty((planes.size + threads * strip,), source[0].dtype)
    _transform(
        threads, row_filler(transformed.dtype), source, image, padding, extents, tuple(planes),
        of_gradients, strip, transformed,
    )  # fmt: skip
    return transformed


@kernel
def _transform(share, shares, thread, packed):
    """Each share is whole (rows of patches, blocks of channels); threads' row_buffers lie behind the transforms."""
    filler, source, image, padding, extents, planes, of_gradients, strip, transformed = unpack(
        packed
    )
    N, _, _, C = image
    down, across, rows = extents
    patches, block, step, size = planes
    blocks = -(-C // block)
    tasks = -(-N * down // rows) * blocks
    S = size + thread * strip
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        r0, c0 = task // blocks * rows, task % blocks * block
        r1, channels = min(r0 + rows, N * down), min(block, C - c0)
        target = c0 * patches + r0 * across * block
        if of_gradients:
            transform_gradients(
                filler, source, image, down, across, r0, r1, c0, channels, transformed, S, target, step, block
            )  # fmt: skip
        else:
            transform_patches(
                filler, source, image, padding, down, across, r0, r1, c0, channels, transformed, S, target, step, block
            )  # fmt: skip


@kernel
def _multiply(share, shares, thread, packed):
    """Each share is whole panels of filters: their transforms, the products with all patches, the outputs.

    A thread transforms all patches before its first panel, and notes in `transformed` that it has.
    """
    (
        tile, filler, source, image, padding, extents, planes, transformed, weight, filters, bias, F, output, floor, y,
        argmax, zeros, U_step, M_step, scratch,
    ) = unpack(packed)  # fmt: skip
    N, _, _, C = image
    down, across, rows = extents
    count, block, V_step, size = planes
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
            for r in range(0, N * down, rows):
                for c in range(0, C, block):
                    transform_patches(
                        filler, source, image, padding, down, across, r, min(r + rows, N * down), c,
                        min(block, C - c), flat, S, V + c * count + r * across * block, V_step, block,
                    )  # fmt: skip
        f = p * width
        wide = panel_width(F - f, y)
        for c in range(0, C, block):
            channels = min(block, C - c)
            _transform_filters(
                weight, filters, c, channels, f, min(wide, F - f), wide, flat, S, U, U_step
            )
            for z in range(PLANES):
                m = M + z * M_step
                initial, i0, i_m = (zeros, 0, 0) if c == 0 else (flat, m, wide)
                v = V + z * V_step + c * count
                brgemm(
                    tile, 0, count, flat, m, wide, initial, i0, i_m, flat, v, 0, 0, block, flat, U + z * U_step, wide,
                    1, 1, channels, none, wide, flat, v + MR * block, MR, MR * block, False,
                )  # fmt: skip
        store_outputs(
            flat, M, M_step, wide, bias, f, F, floor, output, y, argmax, 0, down, across, count
        )


@inline
def _transform_filters(weight, filters, r, rows, f, columns, wide, flat, S, U, step):
    """U (36, rows, wide): the transforms of some rows of a panel; they are gathered first, at S.

    Planes are `step` elements apart.
    """
    start, i_step, j_step, r_step, f_step = filters
    start += r * r_step + f * f_step
    for i in range(3):
        for j in range(3):
            o, s = start + i * i_step + j * j_step, S + (3 * i + j) * step
            if f_step == 1:
                copy_rows(weight, o, r_step, weight, False, flat, s, wide, rows, columns, wide)
            else:
                pack_transposed(weight, o, f_step, rows, columns, flat, s, wide)
    for k in range(rows):
        s, u = S + k * wide, U + k * wide
        filter_transform(flat, s, 3 * step, step, flat, u, 6 * step, step, columns)


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py: some images after the other, whose sums are added in order."""
    N, H, W, C = problem.image
    F, dtype, output, padding = problem.filters, dbias.dtype, problem.output, problem.window[6:]
    VL = lanes(dtype)
    most = winograd_choice.MAX_TRANSFORMED // (PLANES * patches_of(1, output) * (C + F))
    parts = -(-N // most)
    large = PLANES * patches(problem) * (C + F) >= MIN_TRANSFORMS_HALVED * dweight.size
    chunks = 2 if large and parts == 1 and N > 1 else 1
    dweights, dbiases = (partials_of(total, chunks + (parts > 1)) for total in (dweight, dbias))
    threads = get_num_threads()
    for part in range(parts):
        n0, n1 = part * N // parts, (part + 1) * N // parts
        count = patches_of(n1 - n0, output)
        V_planes, D_planes = (
            _planes(count, C, MAX_BLOCK_GRADIENT, VL),
            _planes(count, F, NR_VECTORS * VL, VL),
        )
        V = _transformed(
            _images(x, n0, n1, N), (n1 - n0, H, W, C), padding, output, V_planes, of_gradients=False
        )
        D = _transformed(
            _images(dy, n0, n1, N), (n1 - n0, *output, F), padding, output, D_planes, of_gradients=True
        )  # fmt: skip
        rows = slice(min(part, 1), min(part, 1) + chunks)
        _multiply_gradients(
            threads, brgemm_address(dtype), V, tuple(V_planes), C, D, tuple(D_planes), F,
            constant(0, NR_VECTORS * VL, dtype), constant(1, 1, dtype),
            empty((threads, PLANES * (V_planes.block * D_planes.block + VL)), dtype), n1 - n0,
            dweights[rows], dbiases[rows],
        )  # fmt: skip
        last = part == parts - 1
        sum_partials(dweights[: rows.stop], dweight if last else dweights[0])
        sum_partials(dbiases[: rows.stop], dbias if last else dbiases[0])


def _images(source, n0, n1, N):
    """Some of the images of a source."""
    return tuple(array[array.size // N * n0 : array.size // N * n1] for array in source)


@kernel
def _multiply_gradients(share, shares, thread, packed):
    """Each share is whole (chunk of images, block of channels, panel of filters): products over all their patches, and
    the transforms of the sums."""
    tile, V, V_planes, C, D, D_planes, F, zeros, ones, scratch, N, dweights, dbiases = unpack(
        packed
    )
    patches, block, V_step, _ = V_planes
    _, width, D_step, _ = D_planes
    none = V.dtype.type(-np.inf)
    flat = scratch.reshape(-1)
    U, U_step = thread * scratch.shape[1], scratch.shape[1] // PLANES
    chunks, size = dweights.shape
    blocks, panels = -(-C // block), -(-F // width)
    tasks = chunks * blocks * panels
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        chunk, c, f = (
            task // panels // blocks,
            task // panels % blocks * block,
            task % panels * width,
        )
        first = chunk * N // chunks * (patches // N)
        count = (chunk + 1) * N // chunks * (patches // N) - first
        channels, filters = min(block, C - c), min(width, F - f)
        ahead = -(-block // -(-channels // MR))  # elements of the next plane, with each patch
        for z in range(PLANES):
            v = z * V_step + c * patches + first * block
            brgemm(
                tile, 1, channels, flat, U + z * U_step, width, zeros, 0, 0, V, v, 0, 0, block, D,
                z * D_step + f * patches + first * width, width, 1, 1, count, none, filters, V, v + V_step, ahead,
                ahead * count, False,
            )  # fmt: skip
        for k in range(channels):
            filter_gradient_transform(
                flat, U + k * width, 6 * U_step, U_step,
                dweights.reshape(-1), chunk * size + (c + k) * F + f, 3 * C * F, C * F, filters,
            )  # fmt: skip
        if c == 0:  # the plane (1, 1) of a transformed gradient is the sum of its 4x4
            brgemm(
                tile, 1, 1, dbiases.reshape(-1), chunk * F + f, 0, zeros, 0, 0, ones, 0, 0, 0, 0,
                D, 7 * D_step + f * patches + first * width, width, 1, 1, count, none, filters, V, 0, 0, 0, False,
            )  # fmt: skip
