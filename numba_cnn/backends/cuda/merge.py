"""Two arrays made one: one thread an element of the result."""

from functools import lru_cache

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def merge(a, b, name, g, y):
    launch_each(merge_kernel(name), y.size, a, b, extents(g), y)


@checked
def merge_backward(dy, a, b, name, g, da, db):
    launch_each(merge_backward_kernel(name), da.size, dy, a, b, extents(g), da)
    second = merge_backward_kernel("prelu_slope" if name == "prelu" else name)
    launch_each(second, db.size, dy, b, a, extents(g.swapped()), db)


@checked
def sum_to(dy, scale, g, da):
    launch_each(sum_to_kernel, da.size, dy, extents(g), da, da.dtype.type(scale))


@device
def _add(a, b):
    return a + b


@device
def _subtract(a, b):
    return a - b


@device
def _multiply(a, b):
    return a * b


@device
def _maximum(a, b):
    return a if a > b or a != a else b


@device
def _minimum(a, b):
    return a if a < b or a != a else b


_FUNCTIONS = {
    "add": _add, "subtract": _subtract, "multiply": _multiply, "maximum": _maximum, "minimum": _minimum,
    "prelu": _multiply,  # where x is not positive
}  # fmt: skip


@lru_cache
def merge_kernel(name):
    function, rectified = _FUNCTIONS[name], name == "prelu"

    @jit
    def merge_kernel(a, b, g, y):
        t = cuda.grid(1)
        if t < y.size:
            l = t % g.D3
            k = t // g.D3 % g.D2
            j = t // g.D3 // g.D2 % g.D1
            i = t // g.D3 // g.D2 // g.D1
            left = load(a, i * g.A0 + j * g.A1 + k * g.A2 + l * g.A3)
            merged = function(left, load(b, i * g.B0 + j * g.B1 + k * g.B2 + l * g.B3))
            store(y, t, left if rectified and left > y.dtype.type(0) else merged)

    return merge_kernel


@device
def _own(t, g):
    """The ranges, (start, stop) of each axis, of what element t of a goes along with."""
    E1, E2, E3 = g.D1 if g.A1 else 1, g.D2 if g.A2 else 1, g.D3 if g.A3 else 1
    i, j, k, l = t // E3 // E2 // E1, t // E3 // E2 % E1, t // E3 % E2, t % E3
    i0, i1 = (i if g.A0 else 0), (i + 1 if g.A0 else g.D0)
    j0, j1 = (j if g.A1 else 0), (j + 1 if g.A1 else g.D1)
    k0, k1 = (k if g.A2 else 0), (k + 1 if g.A2 else g.D2)
    l0, l1 = (l if g.A3 else 0), (l + 1 if g.A3 else g.D3)
    return i0, i1, j0, j1, k0, k1, l0, l1


@lru_cache
def merge_backward_kernel(name):
    multiplies, larger = name == "multiply", name == "maximum"
    is_prelu, is_slope = name == "prelu", name == "prelu_slope"

    @jit
    def merge_backward_kernel(dy, a, b, g, da):
        t = cuda.grid(1)
        if t < da.size:
            kind = da.dtype.type
            total, left = kind(0), load(a, t)
            i0, i1, j0, j1, k0, k1, l0, l1 = _own(t, g)
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        for l in range(l0, l1):
                            slope = load(dy, ((i * g.D1 + j) * g.D2 + k) * g.D3 + l)
                            right = load(b, i * g.B0 + j * g.B1 + k * g.B2 + l * g.B3)
                            if multiplies:
                                total += slope * right
                            elif is_prelu:
                                below = right if left < kind(0) else kind(0)
                                total += slope * (kind(1) if left > kind(0) else below)
                            elif is_slope:
                                total += slope * (right if right < kind(0) else kind(0))
                            else:
                                first = left > right if larger else left < right
                                half = kind(0.5) if left == right else kind(0)
                                total += slope * (kind(1) if first else half)
            store(da, t, total)

    return merge_backward_kernel


@jit
def sum_to_kernel(dy, g, da, scale):
    t = cuda.grid(1)
    if t < da.size:
        total = da.dtype.type(0)
        i0, i1, j0, j1, k0, k1, l0, l1 = _own(t, g)
        for i in range(i0, i1):
            for j in range(j0, j1):
                for k in range(k0, k1):
                    for l in range(l0, l1):
                        total += load(dy, ((i * g.D1 + j) * g.D2 + k) * g.D3 + l) * scale
        store(da, t, total)
