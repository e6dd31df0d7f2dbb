"""Numbers by a weight that is read when the launch runs, so that a recording is right for every batch."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for


@checked
def weigh(x, weight, y):
    """y = x * weight; 0 where the weight is 0, whatever x is."""
    _weigh(threads_for(x.size), x.reshape(-1), weight, y.reshape(-1))


@kernel
def _weigh(share, shares, thread, packed):
    """Each share is a run of elements."""
    x, weight, y = unpack(packed)
    w, zero = weight[0], y.dtype.type(0)
    source, target = run_of(share, shares, x), run_of(share, shares, y)
    for i in range(target.size):
        target[i] = zero if w == zero else source[i] * w
