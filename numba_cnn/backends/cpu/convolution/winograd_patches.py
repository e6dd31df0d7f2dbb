"""From images to Winograd's transformed patches, and from their products back to images; see winograd.py."""

from numba_cnn.backends.cpu.codegen.arrays import prefetch
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.convolution.row_buffers import fill_row
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.microkernels.winograd_transforms import (
    gradient_transform,
    input_transform,
    output_transform,
    pooled_output_transform,
)


@inline
def transform_patches(
    filler, source, image, padding, down, across, r0, r1, c0, channels, flat, S, V, plane, V_row
):  # fmt: skip
    """V: the transforms of the rows r0..r1 of patches, read in place or from padded and gated rows at S."""
    N, H, W, C = image
    top, left = padding
    wide = 4 * across + 2
    x, gate, argmax = source
    inside = top <= 0 and left <= 0 and 4 * down + 2 - top <= H and wide - left <= W
    in_place = inside and gate.size == 0 and argmax.size == 0
    q, r = 0, r0
    while r < r1:
        n, i = r // down, r % down
        count = min(down - i, r1 - r)
        pixels, start, row, column = flat, S, wide * channels, channels
        if in_place:
            pixels, start, row, column = x, ((n * H + 4 * i - top) * W - left) * C + c0, W * C, C
        else:
            for h in range(4 * count + 2):
                fill_row(
                    filler, source, image, n, 4 * i - top + h, -left, wide, c0, channels, flat, S + h * row
                )  # fmt: skip
        for k in range(count):
            for j in range(across):
                s = start + 4 * k * row + 4 * j * column
                input_transform(
                    (pixels, s, row, column), (flat, V + q * V_row, 6 * plane, plane), channels
                )
                if in_place and channels == C:
                    for i in range(10, 14):  # the rows that the patch two below sees first
                        prefetch(x, s + i * row, 4 * C)
                q += 1
        r += count


@inline
def transform_gradients(
    filler, dy, image, down, across, r0, r1, f0, filters, flat, S, D, plane, D_row
):
    """D: the transforms of the gradients of the rows r0..r1 of patches."""
    wide = 4 * across
    q, r = 0, r0
    while r < r1:
        n, i = r // down, r % down
        count = min(down - i, r1 - r)
        for h in range(4 * count):
            s = S + h * wide * filters
            fill_row(filler, dy, image, n, 4 * i + h, 0, wide, f0, filters, flat, s)
        for k in range(count):
            for j in range(across):
                s = S + (4 * k * wide + 4 * j) * filters
                block = flat, s, wide * filters, filters
                gradient_transform(block, (flat, D + q * D_row, 6 * plane, plane), filters)
                q += 1
        r += count


@inline
def store_outputs(
    flat, M, plane, wide, bias, f, F, floor, output, y, argmax, r0, down, across, count
):  # fmt: skip
    """y, the outputs of a panel of filters from f on: of `count` patches, from the row r0 of them on, with their
    products in the planes of M."""
    OH, OW = output
    nontemporal = bypasses_caches(y, F)
    for q in range(count):
        r, j = r0 + q // across, q % across
        n, i = r // down, r % down
        if argmax.size > 0:
            o = ((n * (OH // 2) + 2 * i) * (OW // 2) + 2 * j) * F + f
            pooled_output_transform(
                (flat, M + q * wide, plane), (y, argmax, o, OW // 2 * F, F), (bias, f),
                (OH // 2 - 2 * i, OW // 2 - 2 * j), (floor, nontemporal), min(wide, F - f),
            )  # fmt: skip
        else:
            o = ((n * OH + 4 * i) * OW + 4 * j) * F + f
            output_transform(
                (flat, M + q * wide, plane), (y, argmax, o, OW * F, F), (bias, f),
                (OH - 4 * i, OW - 4 * j), (floor, nontemporal), min(wide, F - f),
            )  # fmt: skip
