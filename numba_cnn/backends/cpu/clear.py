"""Zeros in an array."""

from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.threads import run_of, threads_for


def clear(array):
    _clear(threads_for(array.size), array.reshape(-1))


@kernel
def _clear(share, shares, thread, packed):
    """Each share is a run of elements."""
    (array,) = unpack(packed)
    run_of(share, shares, array)[:] = 0
