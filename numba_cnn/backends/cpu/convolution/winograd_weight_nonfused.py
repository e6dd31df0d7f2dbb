"""Winograd's weight gradient for many channels, where all patches of some images are transformed first.

Each sum over their patches stays in registers from first to last. Where two cores have no cache in common, each thread
has some of the images to itself; see winograd_nonfused.py.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution import winograd_choice
from numba_cnn.backends.cpu.convolution.row_buffers import row_filler
from numba_cnn.backends.cpu.convolution.winograd_choice import (
    is_nonfused,
    patches,
    patches_of,
    transforms_pay,
)
from numba_cnn.backends.cpu.convolution.winograd_nonfused import extents_of, planes_of
from numba_cnn.backends.cpu.convolution.winograd_patches import (
    transform_gradients,
    transform_patches,
)
from numba_cnn.backends.cpu.convolution.winograd_weight import transform_sums
from numba_cnn.backends.cpu.microkernels.brgemm import BY_COLUMNS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    PLANES,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_BLOCK = 64  # the most channels of a block, whose sums stay in the second-level cache
# The smallest transforms that are summed by halves of the batch, in times the size of the weights.
MIN_TRANSFORMS_HALVED = 8

ALGORITHM = "winograd"


def supports(problem):
    return problem.g.winograd


def pays(problem):
    return is_nonfused(problem) and transforms_pay(problem)


def _transformed(source, image, padding, output, planes, of_gradients):
    """The transforms of all patches of a batch of images, or of gradients."""
    threads = get_num_threads()
    extents, strip = extents_of(image, output, planes.block)
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
        some, row_buffer = ((down, across), (r0, r1)), (transformed, S)
        target = transformed, c0 * patches + r0 * across * block, step, block
        if of_gradients:
            transform_gradients(filler, (source, image), some, (c0, channels), row_buffer, target)
        else:
            transform_patches(
                filler, (source, image), padding, some, (c0, channels), row_buffer, target
            )


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
            planes_of(count, C, MAX_BLOCK, VL),
            planes_of(count, F, NR_VECTORS * VL, VL),
        )
        V = _transformed(
            _images(x, n0, n1, N), (n1 - n0, H, W, C), padding, output, V_planes, of_gradients=False
        )
        D = _transformed(
            _images(dy, n0, n1, N), (n1 - n0, *output, F), padding, output, D_planes, of_gradients=True
        )  # fmt: skip
        rows = slice(min(part, 1), min(part, 1) + chunks)
        _multiply_gradients(
            threads, brgemm.address(dtype), V, tuple(V_planes), C, D, tuple(D_planes), F,
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
    """Each share is whole (chunk of images, block of channels, panel of filters).

    Products over all their patches, and the transforms of the sums.
    """
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
                tile, (channels, filters), (1, 1, count), C=(flat, U + z * U_step, width), I=(zeros, 0, 0),
                A=(V, v, 0, 0, block, BY_COLUMNS), B=(D, z * D_step + f * patches + first * width, width),
                epilogue=(none, False), N=(V, v + V_step, ahead, ahead * count),
            )  # fmt: skip
        dweight = dweights.reshape(-1), chunk * size + c * F + f, C * F, F
        transform_sums((flat, U, U_step, width), dweight, (channels, filters))
        if c == 0:  # the plane (1, 1) of a transformed gradient is the sum of its 4x4
            brgemm(
                tile, (1, filters), (1, 1, count), C=(dbiases.reshape(-1), chunk * F + f, 0), I=(zeros, 0, 0),
                A=(ones, 0, 0, 0, 0, BY_COLUMNS), B=(D, 7 * D_step + f * patches + first * width, width),
                epilogue=(none, False), N=(V, 0, 0, 0),
            )  # fmt: skip
