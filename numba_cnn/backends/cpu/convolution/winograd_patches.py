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
def transform_patches(filler, images, padding, patches, channels, row_buffer, V):
    """The transforms of some rows of patches, read in place or from padded and gated rows.

    images       (source, (N, H, W, C))
    padding      (top, left)
    patches      ((rows of them in an image, patches in a row), (first row, last row))
    channels     (first, how many)
    row_buffer   (array, start)
    V            (array, start, plane step, patch step)
    """
    (source, image), (top, left), ((down, across), (r0, r1)) = images, padding, patches
    (c0, count), (flat, S), (target, V, plane, V_row) = channels, row_buffer, V
    _, H, W, C = image
    wide = 4 * across + 2
    x, gate, argmax = source
    inside = top <= 0 and left <= 0 and 4 * down + 2 - top <= H and wide - left <= W
    in_place = inside and gate.size == 0 and argmax.size == 0
    q, r = 0, r0
    while r < r1:
        n, i = r // down, r % down
        rows = min(down - i, r1 - r)
        pixels, start, row, column = flat, S, wide * count, count
        if in_place:
            pixels, start, row, column = x, ((n * H + 4 * i - top) * W - left) * C + c0, W * C, C
        else:
            for h in range(4 * rows + 2):
                buffered = flat, S + h * row
                fill_row(filler, images, (n, 4 * i - top + h), (-left, wide), channels, buffered)
        for k in range(rows):
            for j in range(across):
                s = start + 4 * k * row + 4 * j * column
                input_transform(
                    (pixels, s, row, column), (target, V + q * V_row, 6 * plane, plane), count
                )
                if in_place and count == C:
                    for i in range(10, 14):  # the rows that the patch two below sees first
                        prefetch(x, s + i * row, 4 * C)
                q += 1
        r += rows


@inline
def transform_gradients(filler, images, patches, filters, row_buffer, D):
    """The transforms of the gradients of some rows of patches; the groups are those of transform_patches."""
    (down, across), (r0, r1) = patches
    (_, count), (flat, S), (target, D, plane, D_row) = filters, row_buffer, D
    wide = 4 * across
    q, r = 0, r0
    while r < r1:
        n, i = r // down, r % down
        rows = min(down - i, r1 - r)
        for h in range(4 * rows):
            buffered = flat, S + h * wide * count
            fill_row(filler, images, (n, 4 * i + h), (0, wide), filters, buffered)
        for k in range(rows):
            for j in range(across):
                block = flat, S + (4 * k * wide + 4 * j) * count, wide * count, count
                gradient_transform(block, (target, D + q * D_row, 6 * plane, plane), count)
                q += 1
        r += rows


@inline
def store_outputs(M, panel, epilogue, outputs, patches):
    """y, the outputs of a panel of filters for some patches, from their products.

    M          (array, start, plane step)
    panel      (first filter, width, filters of y)
    epilogue   (bias, floor)
    outputs    (y, argmax, (OH, OW))
    patches    ((rows of them in an image, patches in a row), first row, patches)
    """
    (products, M, plane), (f, wide, F), (bias, floor) = M, panel, epilogue
    (y, argmax, (OH, OW)), ((down, across), r0, count) = outputs, patches
    nontemporal = bypasses_caches(y, F)
    for q in range(count):
        r, j = r0 + q // across, q % across
        n, i = r // down, r % down
        planes, last = (products, M + q * wide, plane), (floor, nontemporal)
        if argmax.size > 0:
            o = ((n * (OH // 2) + 2 * i) * (OW // 2) + 2 * j) * F + f
            pooled_output_transform(
                planes, (y, argmax, o, OW // 2 * F, F), (bias, f), (OH // 2 - 2 * i, OW // 2 - 2 * j), last,
                min(wide, F - f),
            )  # fmt: skip
        else:
            o = ((n * OH + 4 * i) * OW + 4 * j) * F + f
            output_transform(
                planes, (y, argmax, o, OW * F, F), (bias, f), (OH - 4 * i, OW - 4 * j), last, min(wide, F - f),
            )  # fmt: skip
