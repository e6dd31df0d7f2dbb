"""Arrays whose axes change places, on the CPU: runs that stay runs are copied, the others transposed in blocks.

Each share is whole rows along the last axis of the result, or whole strips of rows: along one other axis neighbours in
the input lie.
"""

from math import prod

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import CACHE_LINE
from numba_cnn.backends.cpu.microkernels.copy import copy_run, transpose
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def permute(x, g, y):
    extents, steps = g[:6], g[6:]
    if steps[5] == 1:
        _copy_rows(threads_for(y.size), x, tuple(extents), tuple(steps), y)
        return
    axis = max(axis for axis in range(5) if steps[axis] == 1 and extents[axis] > 1)
    others = [other for other in range(5) if other != axis]
    own = [prod(extents[other + 1 :]) for other in range(6)]  # the steps of y
    outer = tuple(tuple(of[other] for other in others) for of in (extents, steps, own))
    strip, row = (extents[axis], own[axis]), (extents[5], steps[5])
    _transpose(threads_for(y.size), x, outer, strip, row, y)


@noinline
def _place(i, extents, steps):
    """Where element i of four axes lies."""
    rest, l = i // extents[3], i % extents[3]
    rest, k = rest // extents[2], rest % extents[2]
    return (
        rest // extents[1] * steps[0] + rest % extents[1] * steps[1] + k * steps[2] + l * steps[3]
    )


@kernel
def _copy_rows(share, shares, thread, packed):
    x, extents, steps, y = unpack(packed)
    count, columns = extents[4], extents[5]
    rows = y.size // columns
    nontemporal = bypasses_caches(y, columns)
    for r in range(share * rows // shares, (share + 1) * rows // shares):
        start = _place(r // count, extents, steps) + r % count * steps[4]
        copy_run((x, start), (y, r * columns), columns, nontemporal)


@kernel
def _transpose(share, shares, thread, packed):
    x, (extents, steps, own), (height, y_step), (width, x_step), y = unpack(packed)
    lanes = lanes_of(x)
    past = lanes * x.itemsize == CACHE_LINE and bypasses_caches(y, width)
    strips = -(-height // lanes)
    tasks = y.size // (height * width) * strips
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        i, first = task // strips, task % strips * lanes
        source = _place(i, extents, steps) + first
        target = _place(i, extents, own) + first * y_step
        rows = min(lanes, height - first)
        for c in range(0, width, lanes):
            block, out = source + c * x_step, target + c
            if width - c >= lanes:
                transpose((x, block, x_step), (lanes, rows), (y, out, y_step), past)
                continue
            for r in range(rows):
                for k in range(width - c):
                    y[out + r * y_step + k] = x[block + k * x_step + r]
