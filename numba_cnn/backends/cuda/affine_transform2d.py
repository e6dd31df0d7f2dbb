"""Images through affine maps: one thread an element of the result; backward one thread a channel of an image."""

from functools import lru_cache

from numba import int32

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store

CONSTANT, NEAREST, REFLECT, WRAP = range(4)
MODES = {"constant": CONSTANT, "nearest": NEAREST, "reflect": REFLECT, "wrap": WRAP}
_FARTHEST = 1 << 22  # pixels from the origin; places beyond count as that far, and so does NaN


@checked
def affine_transform2d(x, matrices, g, bilinear, fill_mode, fill_value, y):
    make = blend_kernel if bilinear else pick_kernel
    fill = x.dtype.type(fill_value)
    launch_each(make(x.dtype, MODES[fill_mode]), y.size, x, matrices, extents(g), fill, y)


@checked
def affine_transform2d_backward(dy, matrices, g, bilinear, fill_mode, dx):
    kernel = affine_transform2d_backward_kernel(dy.dtype, bool(bilinear), MODES[fill_mode])
    launch_each(kernel, g.N * g.C, dy, matrices, extents(g), dx)


@lru_cache
def floor(dtype):
    """floor(x): the largest integer that is not above x, of those of 32 bits."""
    kind = dtype.type

    @device
    def down(x):
        whole = int32(x)
        return whole - int32(1) if kind(whole) > x else whole

    return down


@lru_cache
def _place(dtype):
    """place(a0, a1, a2, ow, oh): where an output lies along an axis of the source, within bounds that integers hold."""
    kind = dtype.type
    farthest = kind(_FARTHEST)

    @device
    def place(a0, a1, a2, ow, oh):
        at = a0 * kind(ow) + (a1 * kind(oh) + a2)
        return min(at, farthest) if at > -farthest else -farthest

    return place


@lru_cache
def _fixed(mode):
    """fixed(at, extent): the pixel that stands for the one at `at`, which may lie outside."""

    @device
    def fixed(at, extent):
        if at >= 0 and at < extent:
            return at
        if mode == WRAP:
            return at % extent
        if mode == REFLECT:
            at %= 2 * extent
            return at if at < extent else 2 * extent - 1 - at
        return min(max(at, 0), extent - 1)

    return fixed


@lru_cache
def _pixel(dtype, mode):
    """pixel(x, n, h, w, c, g, fill): an element of the source, or what stands for one outside of it."""
    fixed = _fixed(mode)

    @device
    def pixel(x, n, h, w, c, g, fill):
        inside = h >= 0 and h < g.H and w >= 0 and w < g.W
        if mode == CONSTANT and not inside:
            return fill
        return load(x, ((int(n) * g.H + fixed(h, g.H)) * g.W + fixed(w, g.W)) * g.C + c)

    return pixel


@lru_cache
def pick_kernel(dtype, mode):
    place, pixel, half = _place(dtype), _pixel(dtype, mode), dtype.type(0.5)
    down = floor(dtype)

    @jit
    def pick_kernel(x, matrices, g, fill, y):
        i = cuda.grid(1)
        if i < y.size:
            n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
            m = matrices[n]
            w = down(place(m[0], m[1], m[2], ow, oh) + half)
            h = down(place(m[3], m[4], m[5], ow, oh) + half)
            store(y, i, pixel(x, n, h, w, c, g, fill))

    return pick_kernel


@lru_cache
def blend_kernel(dtype, mode):
    place, pixel, kind = _place(dtype), _pixel(dtype, mode), dtype.type
    lower_of, one = floor(dtype), dtype.type(1)

    @jit
    def blend_kernel(x, matrices, g, fill, y):
        i = cuda.grid(1)
        if i < y.size:
            n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
            m = matrices[n]
            column = place(m[0], m[1], m[2], ow, oh)
            row = place(m[3], m[4], m[5], ow, oh)
            w, h = lower_of(column), lower_of(row)
            across, down = column - kind(w), row - kind(h)
            upper = pixel(x, n, h, w, c, g, fill) * (one - across)
            upper += pixel(x, n, h, w + 1, c, g, fill) * across
            lower = pixel(x, n, h + 1, w, c, g, fill) * (one - across)
            lower += pixel(x, n, h + 1, w + 1, c, g, fill) * across
            store(y, i, upper * (one - down) + lower * down)

    return blend_kernel


@lru_cache
def affine_transform2d_backward_kernel(dtype, bilinear, mode):
    place, fixed, lower_of, kind = _place(dtype), _fixed(mode), floor(dtype), dtype.type
    zero, half, one = dtype.type(0), dtype.type(0.5), dtype.type(1)
    corners = 2 if bilinear else 1

    @jit
    def affine_transform2d_backward_kernel(dy, matrices, g, dx):
        i = cuda.grid(1)
        if i < g.N * g.C:
            n, c = i // g.C, i % g.C
            m = matrices[n]
            for p in range(g.H * g.W):
                store(dx, (n * g.H * g.W + p) * g.C + c, zero)
            for o in range(g.OH * g.OW):
                column = place(m[0], m[1], m[2], o % g.OW, o // g.OW)
                row = place(m[3], m[4], m[5], o % g.OW, o // g.OW)
                if not bilinear:
                    column, row = kind(lower_of(column + half)), kind(lower_of(row + half))
                w, h = lower_of(column), lower_of(row)
                across, down = column - kind(w), row - kind(h)
                value = load(dy, (n * g.OH * g.OW + o) * g.C + c)
                for k in range(corners * corners):
                    a, b = h + k // corners, w + k % corners
                    inside = a >= 0 and a < g.H and b >= 0 and b < g.W
                    if inside or mode != CONSTANT:
                        weight = down if k // corners else one - down
                        weight *= across if k % corners else one - across
                        at = ((n * g.H + fixed(a, g.H)) * g.W + fixed(b, g.W)) * g.C + c
                        store(dx, at, load(dx, at) + value * weight)

    return affine_transform2d_backward_kernel
