"""Zeros in an array."""

from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for


def zero_fill(array):
    _zero_fill(threads_for(array.size), array.reshape(-1))


@kernel
def _zero_fill(share, shares, thread, packed):
    """Each share is a run of elements."""
    (array,) = unpack(packed)
    run_of(share, shares, array)[:] = 0
