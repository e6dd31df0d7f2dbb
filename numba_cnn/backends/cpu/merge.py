"""Two arrays made one, and arrays side by side, on the CPU: each share is whole rows along the last axis."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def merge(a, b, name, g, y):
    _MERGE[name](threads_for(y.size), a.reshape(-1), b.reshape(-1), tuple(g), y.reshape(-1))


@checked
def merge_backward(dy, a, b, name, g, da):
    arrays = dy.reshape(-1), a.reshape(-1), b.reshape(-1)
    _GRADIENT[name](threads_for(dy.size), *arrays, tuple(g), da.reshape(-1))


@checked
def sum_to(dy, scale, g, da):
    arrays = dy.reshape(-1), tuple(g), da.reshape(-1)
    _sum_to(threads_for(dy.size), *arrays, dy.dtype.type(scale))


@checked
def put_columns(x, g, y):
    _put(threads_for(x.size), x, g.start, y)


@checked
def take_columns(y, g, x):
    _take(threads_for(x.size), y, g.start, x)


def _of_pairs(name, function):
    """The kernel of y = function(a, b); the cache keeps it by its name."""
    function = noinline(function)

    def merged(share, shares, thread, packed):
        a, b, g, y = unpack(packed)
        D0, D1, D2, D3, A0, A1, A2, A3, B0, B1, B2, B3 = g
        rows = D0 * D1 * D2
        for r in range(share * rows // shares, (share + 1) * rows // shares):
            i, j, k = r // (D1 * D2), r // D2 % D1, r % D2
            left = a[i * A0 + j * A1 + k * A2 :]
            right = b[i * B0 + j * B1 + k * B2 :]
            out = y[r * D3 : (r + 1) * D3]
            if A3 == 1 and B3 == 1:
                for c in range(D3):
                    out[c] = function(left[c], right[c])
            else:
                for c in range(D3):
                    out[c] = function(left[c * A3], right[c * B3])

    merged.__name__ = merged.__qualname__ = f"merge_{name}"
    return kernel(merged)


def _of_gradients(name, factor):
    """The kernel of da = the sum of dy factor(a, b) over the axes along which a does not go, in their order."""
    factor = noinline(factor)

    def gradient(share, shares, thread, packed):
        dy, a, b, g, da = unpack(packed)
        D0, D1, D2, D3, A0, A1, A2, A3, B0, B1, B2, B3 = g
        width = D3 if A3 else 1
        rows = da.size // width
        for r in range(share * rows // shares, (share + 1) * rows // shares):
            (i0, i1), (j0, j1), (k0, k1) = _own(r, g)
            left, total = a[r * width : (r + 1) * width], da[r * width : (r + 1) * width]
            total[:] = 0
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        slope = dy[((i * D1 + j) * D2 + k) * D3 :]
                        right = b[i * B0 + j * B1 + k * B2 :]
                        for c in range(D3):
                            total[c * A3] += slope[c] * factor(left[c * A3], right[c * B3])

    gradient.__name__ = gradient.__qualname__ = f"merge_{name}_backward"
    return kernel(gradient)


@noinline
def _own(r, g):
    """The ranges along the first three axes of what row r of a goes along with."""
    D0, D1, D2, _, A0, A1, A2 = g[:7]
    E1, E2 = D1 if A1 else 1, D2 if A2 else 1
    i, j, k = r // (E1 * E2), r // E2 % E1, r % E2
    return (
        (i, i + 1) if A0 else (0, D0),
        (j, j + 1) if A1 else (0, D1),
        (k, k + 1) if A2 else (0, D2),
    )


@kernel
def _sum_to(share, shares, thread, packed):
    dy, g, da, scale = unpack(packed)
    D0, D1, D2, D3 = g[:4]
    A3 = g[7]
    width = D3 if A3 else 1
    rows = da.size // width
    for r in range(share * rows // shares, (share + 1) * rows // shares):
        (i0, i1), (j0, j1), (k0, k1) = _own(r, g)
        total = da[r * width : (r + 1) * width]
        total[:] = 0
        for i in range(i0, i1):
            for j in range(j0, j1):
                for k in range(k0, k1):
                    slope = dy[((i * D1 + j) * D2 + k) * D3 :]
                    for c in range(D3):
                        total[c * A3] += slope[c] * scale


_MERGE = {
    name: _of_pairs(name, function)
    for name, function in {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "maximum": lambda a, b: a if a > b or a != a else b,
        "minimum": lambda a, b: a if a < b or a != a else b,
        "prelu": lambda a, b: a if a > 0 else a * b,
    }.items()
}


_GRADIENT = {
    "multiply": _of_gradients("multiply", lambda a, b: b),
    "maximum": _of_gradients(
        "maximum", lambda a, b: like(a, 1 if a > b else (0.5 if a == b else 0))
    ),
    "minimum": _of_gradients(
        "minimum", lambda a, b: like(a, 1 if a < b else (0.5 if a == b else 0))
    ),
    "prelu": _of_gradients(
        "prelu", lambda a, b: like(a, 1) if a > 0 else (b if a < 0 else like(a, 0))
    ),
    "prelu_slope": _of_gradients("prelu_slope", lambda a, b: b if b < 0 else like(a, 0)),
}


@kernel
def _put(share, shares, thread, packed):
    x, start, y = unpack(packed)
    R, K = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        row, out = x[r], y[r, start : start + K]
        for k in range(K):
            out[k] = row[k]


@kernel
def _take(share, shares, thread, packed):
    y, start, x = unpack(packed)
    R, K = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        row, out = y[r, start : start + K], x[r]
        for k in range(K):
            out[k] = row[k]
