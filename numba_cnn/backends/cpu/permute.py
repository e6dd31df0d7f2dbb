"""Arrays whose axes change places, on the CPU: runs that stay runs are copied, the others transposed in blocks.

Each share is whole rows along the last axis of the result, or whole tiles: along one other axis neighbours in the input
lie.
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

_HEIGHT, _WIDTH = 256, 1024  # rows and columns of the result, at most, that are made together
_AHEAD = 16  # blocks from one that is transposed to the one that is asked for


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
    bands, chunks = -(-height // _HEIGHT), -(-width // _WIDTH)
    tasks = y.size // (height * width) * bands * chunks
    for task in range(share * tasks // shares, (share + 1) * tasks // shares):
        i, tile = task // (bands * chunks), task % (bands * chunks)
        top, left = tile // chunks * _HEIGHT, tile % chunks * _WIDTH
        source = _place(i, extents, steps) + top + left * x_step
        target = _place(i, extents, own) + top * y_step + left
        rows, columns = min(_HEIGHT, height - top), min(_WIDTH, width - left)
        blocks = -(-columns // lanes)
        # The block that comes _AHEAD later: along the rows, or in strips further down where rows have fewer.
        ahead = _AHEAD * lanes * x_step if blocks > _AHEAD else -(-_AHEAD // blocks) * lanes
        for r in range(0, rows, lanes):
            here, count = source + r, min(lanes, rows - r)
            for c in range(0, columns, lanes):
                block, out = here + c * x_step, target + r * y_step + c
                if columns - c >= lanes:
                    transpose((x, block, x_step), (lanes, count), (y, out, y_step), ahead, past)
                    continue
                for k in range(count):
                    for m in range(columns - c):
                        y[out + k * y_step + m] = x[block + m * x_step + k]
