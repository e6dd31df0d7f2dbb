"""Images through affine maps on the CPU: each share is whole rows of the result, or of the gradient whole images."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.arrays import prefetch
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.microkernels.blend import blend_pixels
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for

CONSTANT, NEAREST, REFLECT, WRAP = range(4)
MODES = {"constant": CONSTANT, "nearest": NEAREST, "reflect": REFLECT, "wrap": WRAP}
_FARTHEST = 1 << 22  # pixels from the origin; places beyond count as that far, and so does NaN
_COST = 4  # elements of a copy that take as long as one of these


@checked
def affine_transform2d(x, matrices, g, bilinear, fill_mode, fill_value, y):
    mode, fill = MODES[fill_mode], x.dtype.type(fill_value)
    kernel = _blend if bilinear else _pick
    kernel(threads_for(_COST * y.size), x, matrices, tuple(g), mode, fill, y)


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
        at %= 2 * extent
        return at if at < extent else 2 * extent - 1 - at
    return min(max(at, 0), extent - 1)


@kernel
def _pick(share, shares, thread, packed):
    """y is the pixel that lies nearest."""
    x, matrices, (N, H, W, C, OH, OW), mode, fill, y = unpack(packed)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        a0, a1, a2, b0, b1, b2 = matrices[n]
        half = like(a0, 0.5)
        for ow in range(OW):
            w = int(np.floor(_place(a0, a1, a2, ow, oh) + half))
            h = int(np.floor(_place(b0, b1, b2, ow, oh) + half))
            out = y[n, oh, ow]
            if mode == CONSTANT and not (0 <= h < H and 0 <= w < W):
                out[:] = fill
            else:
                pixel = x[n, _fixed(h, H, mode), _fixed(w, W, mode)]
                for c in range(C):
                    out[c] = pixel[c]


@kernel
def _blend(share, shares, thread, packed):
    """y is the mean of the four pixels around, by distance."""
    x, matrices, (N, H, W, C, OH, OW), mode, fill, y = unpack(packed)
    one, source, target = x.dtype.type(1), x.reshape(-1), y.reshape(-1)
    nontemporal = bypasses_caches(target, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        a0, a1, a2, b0, b1, b2 = matrices[n]
        if n + 1 < N:  # a map goes through its image in an order that the processor cannot guess
            prefetch(source, ((n + 1) * H + oh * H // OH) * W * C, W * C)
        for ow in range(OW):
            column, row = _place(a0, a1, a2, ow, oh), _place(b0, b1, b2, ow, oh)
            left, top = np.floor(column), np.floor(row)
            across, down, w, h = column - left, row - top, int(left), int(top)
            h0, h1 = _fixed(h, H, mode), _fixed(h + 1, H, mode)
            w0, w1 = _fixed(w, W, mode), _fixed(w + 1, W, mode)
            if mode == CONSTANT and not (0 <= h < H - 1 and 0 <= w < W - 1):
                out, p, q, s, t = (
                    y[n, oh, ow],
                    x[n, h0, w0],
                    x[n, h0, w1],
                    x[n, h1, w0],
                    x[n, h1, w1],
                )
                high, low, near, far = h >= 0, h + 1 < H, w >= 0, w + 1 < W
                high, low = high and h < H, low and h + 1 >= 0
                near, far = near and w < W, far and w + 1 >= 0
                for c in range(C):
                    upper = (p[c] if high and near else fill) * (one - across)
                    upper += (q[c] if high and far else fill) * across
                    lower = (s[c] if low and near else fill) * (one - across)
                    lower += (t[c] if low and far else fill) * across
                    out[c] = upper * (one - down) + lower * down
            else:
                right, below = (w1 - w0) * C, (h1 - h0) * W * C
                corner = source, ((n * H + h0) * W + w0) * C, right, below, right + below
                pixel = target, (r * OW + ow) * C
                blend_pixels(corner, (across, down), pixel, C, nontemporal)


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
