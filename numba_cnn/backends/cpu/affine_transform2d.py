"""Images through affine maps on the CPU: each share is whole rows of the result, or of the gradient whole images."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.arrays import prefetch
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.codegen.host import SECOND_LEVEL
from numba_cnn.backends.cpu.microkernels.blend import blend_pixels, blend_row
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import for_each_thread, threads_for

CONSTANT, NEAREST, REFLECT, WRAP = range(4)
MODES = {"constant": CONSTANT, "nearest": NEAREST, "reflect": REFLECT, "wrap": WRAP}
_FARTHEST = 1 << 22  # pixels from the origin; places beyond count as that far, and so does NaN
_EARLY = 1 << 12  # elements, or a row if it has more, that are asked for of other images
_COST = 4  # elements of a copy that take as long as one of these


@checked
def affine_transform2d(x, matrices, g, bilinear, fill_mode, fill_value, y):
    mode, fill = MODES[fill_mode], x.dtype.type(fill_value)
    kernel = _blend if bilinear else _pick
    places, rests = (for_each_thread(2, g.OW, dtype) for dtype in (np.int32, x.dtype))
    shape = *g, 2 * x[:1].nbytes <= SECOND_LEVEL
    kernel(threads_for(_COST * y.size), x, matrices, shape, mode, fill, places, rests, y)


@checked
def affine_transform2d_backward(dy, matrices, g, bilinear, fill_mode, dx):
    threads = threads_for(_COST * dy.size)
    _give(threads, dy, matrices, tuple(g), bool(bilinear), MODES[fill_mode], dx)


@noinline
def _place(a0, a1, a2, ow, oh):
    """Where an output lies along one axis of the source; within bounds that integers hold."""
    place = a0 * like(a0, ow) + (a1 * like(a0, oh) + a2)
    if not place > like(a0, -_FARTHEST):
        return like(a0, -_FARTHEST)
    return min(place, like(a0, _FARTHEST))


@noinline
def _fixed(at, extent, mode):
    """The pixel that stands for the one at `at`, which may lie outside."""
    if 0 <= at < extent:
        return at
    if mode == WRAP:
        return at % extent
    if mode == REFLECT:
        if not -extent <= at < 2 * extent:
            at %= 2 * extent  # a division, which few places take
        return -1 - at if at < 0 else min(at, 2 * extent - 1 - at)
    return min(max(at, 0), extent - 1)


@noinline
def _row_of(matrix):
    return matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]


@noinline
def _places(matrix, oh, half, at, rest):
    """For each pixel of an output row, the source's row and column before it, and how far it lies behind these; `half`
    of a pixel further than the map says.
    """
    a0, a1, a2, b0, b1, b2 = matrix
    for ow in range(at.shape[1]):
        row, column = _place(b0, b1, b2, ow, oh) + half, _place(a0, a1, a2, ow, oh) + half
        top, left = np.floor(row), np.floor(column)
        at[0, ow], at[1, ow] = np.int32(top), np.int32(left)
        rest[0, ow], rest[1, ow] = row - top, column - left


@noinline
def _ahead(matrix, oh, g):
    """(start, step, whether from the pixel itself): where lies what is asked for at each pixel of an output row, since
    a map goes through its image in an order that no processor guesses: what lies half an image further on, if a core's
    second cache holds two images, else what the row below the next few is made of.
    """
    _, H, W, C, OH, _, is_small = g
    if is_small:
        return (H // 2 + oh * H // OH) * W * C, C, False
    _, a1, _, _, b1, _ = matrix
    rows = like(a1, max(2, _EARLY // (W * C)))
    return (int(np.floor(rows * b1)) * W + int(np.floor(rows * a1))) * C, 0, True


@kernel
def _pick(share, shares, thread, packed):
    """y is the pixel that lies nearest."""
    x, matrices, g, mode, fill, places, rests, y = unpack(packed)
    N, H, W, C, OH, OW, _ = g
    source, target, at = x.reshape(-1), y.reshape(-1), places[thread]
    nontemporal = bypasses_caches(target, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        matrix = _row_of(matrices[n])
        _places(matrix, oh, like(fill, 0.5), at, rests[thread])
        start, step, relative = _ahead(matrix, oh, g)
        for ow in range(OW):
            h, w = int(at[0, ow]), int(at[1, ow])
            pixel = ((n * H + _fixed(h, H, mode)) * W + _fixed(w, W, mode)) * C
            origin = pixel if relative else n * H * W * C
            prefetch(source, origin + start + ow * step, C)
            if mode == CONSTANT and not (0 <= h < H and 0 <= w < W):
                y[n, oh, ow] = fill
            else:
                copy_run((source, pixel), (target, (r * OW + ow) * C), C, nontemporal)


@kernel
def _blend(share, shares, thread, packed):
    """y is the mean of the four pixels around, by distance."""
    x, matrices, g, mode, fill, places, rests, y = unpack(packed)
    N, H, W, C, OH, OW, _ = g
    source, target, at, rest = x.reshape(-1), y.reshape(-1), places[thread], rests[thread]
    nontemporal = bypasses_caches(target, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        matrix = _row_of(matrices[n])
        _places(matrix, oh, like(fill, 0), at, rest)
        first, last = _inside(at, H, W)
        image = n * H * W * C
        start, step, relative = _ahead(matrix, oh, g)
        blend_row(
            (source, image, W * C, source.size - image, C),
            (at.reshape(-1), 0, OW),
            (rest.reshape(-1), 0, OW),
            (target, r * OW * C),
            (first, last),
            (start, step, relative),
            nontemporal,
        )
        for i in range(OW - (last - first)):
            ow = i if i < first else i + last - first
            pixel, shares = (int(at[0, ow]), int(at[1, ow])), (rest[1, ow], rest[0, ow])
            _blend_at_edge(
                (source, image, H, W, C),
                pixel,
                shares,
                mode,
                fill,
                (target, (r * OW + ow) * C),
                nontemporal,
            )


@noinline
def _inside(at, H, W):
    """(first, last): the pixels first <= ow < last of an output row lie between four of the source."""
    first, last = 0, at.shape[1]
    while first < last and not (0 <= at[0, first] < H - 1 and 0 <= at[1, first] < W - 1):
        first += 1
    while first < last and not (0 <= at[0, last - 1] < H - 1 and 0 <= at[1, last - 1] < W - 1):
        last -= 1
    return first, last


@noinline
def _blend_at_edge(image, pixel, shares, mode, fill, y, nontemporal):
    """The mean of four pixels of which one at least lies outside."""
    (x, start, H, W, C), (h, w), (across, down), (y, place) = image, pixel, shares, y
    one = x.dtype.type(1)
    h0, h1 = start + _fixed(h, H, mode) * W * C, start + _fixed(h + 1, H, mode) * W * C
    w0, w1 = _fixed(w, W, mode) * C, _fixed(w + 1, W, mode) * C
    if mode != CONSTANT:  # each has a pixel that stands for it
        blend_pixels(
            (x, 0, h0 + w0, h0 + w1, h1 + w0, h1 + w1), (across, down), (y, place), C, nontemporal
        )
        return
    high, low, near, far = 0 <= h < H, 0 <= h + 1 < H, 0 <= w < W, 0 <= w + 1 < W
    for c in range(C):
        upper = (x[h0 + w0 + c] if high and near else fill) * (one - across)
        upper += (x[h0 + w1 + c] if high and far else fill) * across
        lower = (x[h1 + w0 + c] if low and near else fill) * (one - across)
        lower += (x[h1 + w1 + c] if low and far else fill) * across
        y[place + c] = upper * (one - down) + lower * down


@noinline
def _add(total, pixel, weight):
    for c in range(total.size):
        total[c] += pixel[c] * weight


@kernel
def _give(share, shares, thread, packed):
    """dx gets each dy by the weights of the forward pass; an image is one share's, in the order of its rows."""
    dy, matrices, (N, H, W, C, OH, OW), bilinear, mode, dx = unpack(packed)
    one, half = dy.dtype.type(1), dy.dtype.type(0.5)
    for n in range(share * N // shares, (share + 1) * N // shares):
        dx[n] = 0
        a0, a1, a2, b0, b1, b2 = matrices[n]
        for oh in range(OH):
            for ow in range(OW):
                column, row = _place(a0, a1, a2, ow, oh), _place(b0, b1, b2, ow, oh)
                if not bilinear:
                    column, row = np.floor(column + half), np.floor(row + half)
                left, top = np.floor(column), np.floor(row)
                across, down, w, h = column - left, row - top, int(left), int(top)
                for i in range(2 if bilinear else 1):
                    for j in range(2 if bilinear else 1):
                        inside = 0 <= h + i < H and 0 <= w + j < W
                        if inside or mode != CONSTANT:
                            weight = (down if i else one - down) * (across if j else one - across)
                            at = dx[n, _fixed(h + i, H, mode), _fixed(w + j, W, mode)]
                            _add(at, dy[n, oh, ow], weight)
