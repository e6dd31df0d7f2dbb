"""Winograd's F(4x4, 3x3) for the weight gradient of 3x3 filters at stride 1, block by block of the weights.

Transformed patches of x times transformed patches of dy are sums over patches, in 36 planes; see winograd.py.
"""

import numpy as np

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.row_buffers import row_filler
from numba_cnn.backends.cpu.convolution.winograd import evenly
from numba_cnn.backends.cpu.convolution.winograd_choice import transforms_pay
from numba_cnn.backends.cpu.convolution.winograd_patches import (
    transform_gradients,
    transform_patches,
)
from numba_cnn.backends.cpu.microkernels.brgemm import BY_COLUMNS, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    PLANES,
    filter_gradient_transform,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

MAX_BLOCK = 64  # the most channels, and filters, of a block of weights
MAX_PATCHES = 40  # the most that are transformed at once
MIN_CHUNK = 64  # the fewest patches of a chunk
MAX_CHUNKS = 16  # the most chunks; from shapes alone, so that the order of summation does not depend on threads

ALGORITHM = "winograd"


def supports(problem):
    return problem.g.winograd


def pays(problem):
    return transforms_pay(problem)


def weight_gradient(problem, x, dy, dweight, dbias):
    """See problem.py."""
    N, _, _, C = image = problem.image
    OH, OW = output = problem.output
    F = problem.filters
    down, across = -(-OH // 4), -(-OW // 4)
    rows = evenly(N * down, max(1, MAX_PATCHES // across))
    batches = -(-N * down // rows)
    chunks = max(1, min(MAX_CHUNKS, batches, N * down * across // MIN_CHUNK))
    threads = get_num_threads()
    dtype = dbias.dtype
    VL = lanes(dtype)
    CB, FB = _blocks(C, F, VL, -(-threads // chunks))
    size = rows * across
    row_buffers = (4 * rows + 2 * (2 + rows // down)) * (4 * across + 2) * max(CB, FB)
    extents = CB, FB, size * CB + VL, size * FB + VL
    scratch = empty(
        (threads, PLANES * (extents[2] + extents[3] + CB * FB) + row_buffers + NR_VECTORS * VL),
        dtype,
    )
    dweights, dbiases = partials_of(dweight, chunks), partials_of(dbias, chunks)
    ones = constant(1, 1, dtype)
    _weight_gradient(
        threads, brgemm.address(dtype), row_filler(dtype), x, image, problem.window[6:], dy, F, output, rows, extents,
        ones, scratch, dweights, dbiases,
    )  # fmt: skip
    sum_partials(dweights, dweight)
    sum_partials(dbiases, dbias)


def _blocks(C, F, VL, least):
    """Channels and filters of the blocks of weights: MAX_BLOCK, or less to make so many of them; whole vectors."""
    CB, FB = (min(MAX_BLOCK, -(-extent // VL) * VL) for extent in (C, F))
    while least > -(-C // CB) * -(-F // FB) and max(CB, FB) > VL:
        half = -(-max(CB, FB) // (2 * VL)) * VL
        CB, FB = (half, FB) if CB >= FB else (CB, half)
    return CB, FB


@kernel
def _weight_gradient(share, shares, thread, packed):
    """Each share is whole (chunk of patches, block of channels, block of filters)."""
    (
        tile, filler, x, image, padding, dy, F, output, rows, extents, ones, scratch, dweights, dbiases,
    ) = unpack(packed)  # fmt: skip
    (N, _, _, C), (OH, OW), (CB, FB, V_plane, D_plane) = image, output, extents
    patches = down, across = -(-OH // 4), -(-OW // 4)
    flat = scratch.reshape(-1)
    V = thread * scratch.shape[1]
    D = V + PLANES * V_plane
    U = D + PLANES * D_plane
    Z = U + PLANES * CB * FB
    S = Z + NR_VECTORS * lanes_of(scratch)
    flat[Z:S] = 0
    c_blocks, f_blocks = -(-C // CB), -(-F // FB)
    chunks, size = dweights.shape
    batches = -(-N * down // rows)
    tasks = chunks * c_blocks * f_blocks
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        chunk = task // (c_blocks * f_blocks)
        c0, f0 = task // f_blocks % c_blocks * CB, task % f_blocks * FB
        channels, filters = min(CB, C - c0), min(FB, F - f0)
        first = chunk * batches // chunks
        for batch in range(first, (chunk + 1) * batches // chunks):
            r0, r1 = batch * rows, min((batch + 1) * rows, N * down)
            some, count = (patches, (r0, r1)), (r1 - r0) * across
            transform_patches(
                filler, (x, image), padding, some, (c0, channels), (flat, S), (flat, V, V_plane, CB)
            )
            transform_gradients(
                filler, (dy, (N, OH, OW, F)), some, (f0, filters), (flat, S), (flat, D, D_plane, FB)
            )  # fmt: skip
            _multiply(tile, flat, (V, D, U, Z), extents, (channels, filters, count), batch == first)
            if c0 == 0:
                _sum_gradients(
                    tile, (filters, count), (dbiases.reshape(-1), chunk * F + f0), ones, (flat, D + 7 * D_plane, FB),
                    (flat, Z), batch == first,
                )  # fmt: skip
        target = dweights.reshape(-1), chunk * size + c0 * F + f0, C * F, F
        transform_sums((flat, U, CB * FB, FB), target, (channels, filters))


@inline
def transform_sums(U, dweight, shape):
    """Filters from the sums of their transforms.

    U         (array, start, plane step, channel step)
    dweight   (array, start, tap step, channel step)
    shape     (channels, filters)
    """
    (sums, u, plane, u_row), (weights, w, tap, w_row), (channels, filters) = U, dweight, shape
    for c in range(channels):
        filter_gradient_transform(
            (sums, u + c * u_row, 6 * plane, plane), (weights, w + c * w_row, 3 * tap, tap), filters
        )  # fmt: skip


@inline
def _multiply(tile, flat, starts, extents, shape, first):
    """U (+)= V' D, plane by plane.

    starts   of V, D, U and of zeros in the scratch
    shape    (channels, filters, patches)
    """
    (V, D, U, Z), (CB, FB, V_plane, D_plane) = starts, extents
    channels, filters, patches = shape
    width = NR_VECTORS * lanes_of(flat)
    none = flat.dtype.type(-np.inf)
    for z in range(PLANES):
        for f in range(0, filters, width):
            u = U + z * CB * FB + f
            i0, i_m = (Z, 0) if first else (u, FB)
            brgemm(
                tile, (channels, min(width, filters - f)), (1, 1, patches), C=(flat, u, FB), I=(flat, i0, i_m),
                A=(flat, V + z * V_plane, 0, 0, CB, BY_COLUMNS), B=(flat, D + z * D_plane + f, FB),
                epilogue=(none, False), N=(flat, 0, 0, 0),
            )  # fmt: skip


@inline
def _sum_gradients(tile, shape, dbias, ones, D, zeros, first):
    """dbias (+)= the sums over some patches: the plane (1, 1) of a transformed gradient, D, is the sum of its 4x4.

    shape          (filters, patches)
    dbias, zeros   (array, start)
    D              (array, start, patch step)
    """
    (filters, patches), (sums, start), (plane, d, D_row) = shape, dbias, D
    width = NR_VECTORS * lanes_of(sums)
    none = sums.dtype.type(-np.inf)
    for f in range(0, filters, width):
        initial, i0 = zeros if first else (sums, start + f)
        brgemm(
            tile, (1, min(width, filters - f)), (1, 1, patches), C=(sums, start + f, 0), I=(initial, i0, 0),
            A=(ones, 0, 0, 0, 0, BY_COLUMNS), B=(plane, d + f, D_row), epilogue=(none, False), N=(plane, 0, 0, 0),
        )  # fmt: skip
