"""Two arrays made one on the CPU: each share is whole rows along the last axis.

A gradient that is summed over an axis is summed in chunks of it, which are added in their order.
"""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.microkernels.nontemporal import (
    STAGED,
    run_bypasses_caches,
    stage_of,
    write_past,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for

_CHUNK, _MOST = 1 << 16, 64  # elements of a chunk, at least, and chunks


@checked
def merge(a, b, name, g, y):
    _MERGE[name](threads_for(y.size), a.reshape(-1), b.reshape(-1), tuple(g), y.reshape(-1))


@checked
def merge_backward(dy, a, b, name, g, da, db):
    second = _OF_SECOND.get(name, name)
    if da.size < dy.size == db.size:
        dy, a, b, name, second, g, da, db = dy, b, a, second, name, g.swapped(), db, da
    flat = dy.reshape(-1), a.reshape(-1), b.reshape(-1)
    if da.size == dy.size > db.size:  # one is summed: both in one pass
        axis, partials = _chunked(g.swapped(), dy.size, db)
        _BOTH[name, second](threads_for(dy.size), *flat, tuple(g), axis, partials, da.reshape(-1))
        sum_partials(partials, db)
        return
    _merge_gradient(*flat, name, g, da)
    _merge_gradient(flat[0], flat[2], flat[1], second, g.swapped(), db)


def _merge_gradient(dy, a, b, name, g, da):
    """The gradient with respect to a."""
    if da.size == dy.size:  # nothing is summed
        _PRODUCT[name](threads_for(dy.size), dy, a, b, da.reshape(-1))
        return
    axis, partials = _chunked(g, dy.size, da)
    _SUM[name](threads_for(dy.size), dy, a, b, tuple(g), axis, partials)
    sum_partials(partials, da)


@checked
def sum_to(dy, scale, g, da):
    axis, partials = _chunked(g, dy.size, da)
    _sum_to(threads_for(dy.size), dy.reshape(-1), tuple(g), axis, partials, dy.dtype.type(scale))
    sum_partials(partials, da)


def _chunked(g, size, da):
    """(axis, an array for the sums over each chunk of it): the longest of the first three that da does not have."""
    extents = [0 if step else extent for extent, step in zip(g[:3], g[4:7], strict=True)]
    axis = extents.index(max(extents))
    return axis, partials_of(da, max(1, min(extents[axis], size // _CHUNK, _MOST)))


@noinline
def _part(t, last, cuts, g):
    """Of part t: its row, and where that lies along the first three axes; its first column and how many it has; and how
    many rows follow one another from there on, STAGED elements at most: divisions take as long as a short row."""
    _, D1, D2, D3 = g[:4]
    r, cut = t // cuts, t % cuts
    i, j, k = r // (D1 * D2), r // D2 % D1, r % D2
    rows = min(D2 - k, last - t, max(1, STAGED // D3)) if cuts == 1 else 1
    return (r, i, j, k), (cut * STAGED, min(STAGED, D3 - cut * STAGED)), rows


@noinline
def _repeat(row, at, count, repeated, held):
    """`count` elements of a row, which begins `at`, again and again, unless that is the one that is held; of the rows
    that it is merged with the first ones are as many as any later ones, since all of them are one run."""
    if held != at:
        for start in range(0, count, row.size):
            for c in range(row.size):
                repeated[start + c] = row[c]
    return at


def _of_pairs(name, function):
    """The kernel of y = function(a, b); the cache keeps it by its name."""
    function = noinline(function)

    @noinline
    def merge_row(left, left_step, right, right_step, out):
        if left_step == 1 and right_step == 1:
            for c in range(out.size):
                out[c] = function(left[c], right[c])
        else:
            for c in range(out.size):
                out[c] = function(left[c * left_step], right[c * right_step])

    def merged(share, shares, thread, packed):
        a, b, g, y = unpack(packed)
        D0, D1, D2, D3, A0, A1, A2, A3, B0, B1, B2, B3 = g
        cuts, stage = max(1, -(-D3 // STAGED)), stage_of(y)  # so that few long rows are shared out
        repeated, held = stage_of(b), -1
        t, last = share * D0 * D1 * D2 * cuts // shares, (share + 1) * D0 * D1 * D2 * cuts // shares
        while t < last:
            (r, i, j, k), (first, width), rows = _part(t, last, cuts, g)
            part = y[r * D3 + first : r * D3 + first + rows * width]
            past = run_bypasses_caches(y, part)
            made = stage[: part.size] if past else part
            left = a[i * A0 + j * A1 + k * A2 + first * A3 :]
            right = b[i * B0 + j * B1 + k * B2 + first * B3 :]
            if rows > 1 and A2 == D3 and A3 == 1 and B2 == 0 and B3 == 1:  # a row of b for all rows
                held = _repeat(right[:width], i * B0 + j * B1, part.size, repeated, held)
                for c in range(made.size):
                    made[c] = function(left[c], repeated[c])
            else:
                for n in range(rows):
                    merge_row(
                        left[n * A2 :], A3, right[n * B2 :], B3, made[n * width : (n + 1) * width]
                    )
            write_past((made, 0), (part, 0), part.size, past)
            t += rows

    merged.__name__ = merged.__qualname__ = f"merge_{name}"
    return kernel(merged)


def _of_products(name, factor):
    """The kernel of da = dy factor(a, b), of as many elements each."""
    factor = noinline(factor)

    def product(share, shares, thread, packed):
        dy, a, b, da = unpack(packed)
        slope, left = run_of(share, shares, dy), run_of(share, shares, a)
        right, out = run_of(share, shares, b), run_of(share, shares, da)
        for c in range(out.size):
            out[c] = slope[c] * factor(left[c], right[c])

    product.__name__ = product.__qualname__ = f"merge_{name}_product"
    return kernel(product)


def _of_sums(name, factor):
    """The kernel of da = the sum of dy factor(a, b) over the axes along which a does not go, in their order."""
    factor = noinline(factor)

    def gradient(share, shares, thread, packed):
        dy, a, b, g, axis, partials = unpack(packed)
        _, D1, D2, D3, _, _, _, A3, B0, B1, B2, B3 = g
        width = D3 if A3 else 1
        rows, chunks = partials.shape[1] // width, len(partials)
        for task in range(share * rows * chunks // shares, (share + 1) * rows * chunks // shares):
            chunk, r = task // rows, task % rows
            (i0, i1), (j0, j1), (k0, k1) = _own(r, g, axis, chunk, chunks)
            left, total = (
                a[r * width : (r + 1) * width],
                partials[chunk, r * width : (r + 1) * width],
            )
            for c in range(width):
                total[c] = 0
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        slope = dy[((i * D1 + j) * D2 + k) * D3 :]
                        right = b[i * B0 + j * B1 + k * B2 :]
                        if A3 == 1 and B3 == 1:
                            for c in range(D3):
                                total[c] += slope[c] * factor(left[c], right[c])
                        else:
                            for c in range(D3):
                                total[c * A3] += slope[c] * factor(left[c * A3], right[c * B3])

    gradient.__name__ = gradient.__qualname__ = f"merge_{name}_backward"
    return kernel(gradient)


def _of_both(name, factor, factor_of_b):
    """The kernel of da = dy factor(a, b), where a has all elements that dy has, and of db = the sum of dy
    factor_of_b(b, a), where b does not.
    """
    factor, factor_of_b = noinline(factor), noinline(factor_of_b)

    def gradients(share, shares, thread, packed):
        dy, a, b, g, axis, partials, da = unpack(packed)
        _, D1, D2, D3, A0, A1, A2, A3, _, _, _, B3 = g
        width, way = D3 if B3 else 1, g[:4] + g[8:] + g[4:8]
        rows, chunks = partials.shape[1] // width, len(partials)
        for task in range(share * rows * chunks // shares, (share + 1) * rows * chunks // shares):
            chunk, r = task // rows, task % rows
            (i0, i1), (j0, j1), (k0, k1) = _own(r, way, axis, chunk, chunks)
            own = slice(r * width, (r + 1) * width)
            right, total = b[own], partials[chunk, own]
            for c in range(width):
                total[c] = 0
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        first = ((i * D1 + j) * D2 + k) * D3
                        row = slice(first, first + D3)
                        slope, left, out = dy[row], a[row], da[row]
                        if B3 == 1:
                            for c in range(D3):
                                total[c] += slope[c] * factor_of_b(right[c], left[c])
                                out[c] = slope[c] * factor(left[c], right[c])
                        else:
                            for c in range(D3):
                                total[0] += slope[c] * factor_of_b(right[0], left[c])
                                out[c] = slope[c] * factor(left[c], right[0])

    gradients.__name__ = gradients.__qualname__ = f"merge_{name}_gradients"
    return kernel(gradients)


@noinline
def _own(r, g, axis, chunk, chunks):
    """The ranges along the first three axes of what row r of a goes along with, of one of them a chunk."""
    D0, D1, D2, _, A0, A1, A2 = g[:7]
    E1, E2 = D1 if A1 else 1, D2 if A2 else 1
    i, j, k = r // (E1 * E2), r // E2 % E1, r % E2
    return (
        _range(i, D0, A0, chunk, chunks if axis == 0 else 1),
        _range(j, D1, A1, chunk, chunks if axis == 1 else 1),
        _range(k, D2, A2, chunk, chunks if axis == 2 else 1),
    )


@noinline
def _range(own, extent, step, chunk, chunks):
    """Along an axis: the place of a's own, or, where it has one element for all of them, one of so many chunks."""
    if step:
        return own, own + 1
    if chunks == 1:
        return 0, extent
    return chunk * extent // chunks, (chunk + 1) * extent // chunks


@kernel
def _sum_to(share, shares, thread, packed):
    dy, g, axis, partials, scale = unpack(packed)
    _, D1, D2, D3 = g[:4]
    A3 = g[7]
    width = D3 if A3 else 1
    rows, chunks = partials.shape[1] // width, len(partials)
    for task in range(share * rows * chunks // shares, (share + 1) * rows * chunks // shares):
        chunk, r = task // rows, task % rows
        (i0, i1), (j0, j1), (k0, k1) = _own(r, g, axis, chunk, chunks)
        total = partials[chunk, r * width : (r + 1) * width]
        for c in range(width):
            total[c] = 0
        for i in range(i0, i1):
            for j in range(j0, j1):
                for k in range(k0, k1):
                    slope = dy[((i * D1 + j) * D2 + k) * D3 :]
                    if A3 == 1:
                        for c in range(D3):
                            total[c] += slope[c] * scale
                    else:
                        for c in range(D3):
                            total[0] += slope[c] * scale


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


_FACTORS = {
    "multiply": lambda a, b: b,
    "maximum": lambda a, b: like(a, 1 if a > b else (0.5 if a == b else 0)),
    "minimum": lambda a, b: like(a, 1 if a < b else (0.5 if a == b else 0)),
    "prelu": lambda a, b: like(a, 1) if a > 0 else (b if a < 0 else like(a, 0)),
    "prelu_slope": lambda a, b: b if b < 0 else like(a, 0),
}
_OF_SECOND = {"prelu": "prelu_slope"}  # the gradient of b, which is that of a in the others
_PRODUCT = {name: _of_products(name, factor) for name, factor in _FACTORS.items()}
_SUM = {name: _of_sums(name, factor) for name, factor in _FACTORS.items()}
_BOTH = {
    (name, second): _of_both(name, _FACTORS[name], _FACTORS[second])
    for name, second in ((name, _OF_SECOND.get(name, name)) for name in _FACTORS)
}
