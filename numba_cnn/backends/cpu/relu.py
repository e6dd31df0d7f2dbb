"""ReLU on the CPU: one pass over memory, in runs of elements."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.microkernels.nontemporal import (
    STAGED,
    run_bypasses_caches,
    stage_of,
    write_past,
)
from numba_cnn.backends.cpu.runtime.launch import elementwise, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of


@checked
def relu(x, y):
    _relu(x, y)


@checked
def relu_backward(dy, y, dx):
    _relu_backward(dy, y, dx)


@elementwise
def _relu(share, shares, thread, packed):
    """Each share is a run of elements."""
    x, y = unpack(packed)
    zero = x.dtype.type(0)
    source, target, stage = run_of(share, shares, x), run_of(share, shares, y), stage_of(y)
    past = run_bypasses_caches(y, target)
    for first in range(0, target.size, STAGED):
        taken, part = source[first : first + STAGED], target[first : first + STAGED]
        made = stage[: part.size] if past else part
        for i in range(part.size):
            made[i] = zero if taken[i] <= zero else taken[i]
        write_past((made, 0), (part, 0), part.size, past)


@elementwise
def _relu_backward(share, shares, thread, packed):
    """Each share is a run of elements."""
    dy, y, dx = unpack(packed)
    zero = y.dtype.type(0)
    dy, y = run_of(share, shares, dy), run_of(share, shares, y)
    target, stage = run_of(share, shares, dx), stage_of(dx)
    past = run_bypasses_caches(dx, target)
    for first in range(0, target.size, STAGED):
        given, gate = dy[first : first + STAGED], y[first : first + STAGED]
        part = target[first : first + STAGED]
        made = stage[: part.size] if past else part
        for i in range(part.size):
            made[i] = given[i] if gate[i] > zero else zero
        write_past((made, 0), (part, 0), part.size, past)
