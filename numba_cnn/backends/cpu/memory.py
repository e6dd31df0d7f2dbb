"""Output arrays on reused memory.

A freshly mapped buffer costs a page fault per 4 KiB at its first write, as much as a kernel on
large activations. So the memory behind an array goes back to a free list when the last view of it
dies, and the next array of that size takes it.
"""

import mmap
from collections import defaultdict
from math import prod

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_LARGE = 1 << 21  # from 2 MiB on, huge pages are asked for
# Capacity in bytes -> memory nobody uses, each as the array that owns it and its array interface.
_free: defaultdict[int, list] = defaultdict(list)


class _Block:
    """Some memory as the owner of arrays; it returns to the free list when the last of them is gone."""

    __slots__ = ("__array_interface__", "_capacity", "_memory")

    def __init__(self, capacity):
        try:
            self._memory = _free[capacity].pop()
        except IndexError:
            memory = _map(capacity)
            self._memory = memory, memory.__array_interface__
        self._capacity, self.__array_interface__ = capacity, self._memory[1]

    def __del__(self, free=_free):  # bound here: at exit the module's own names may be gone
        free[self._capacity].append(self._memory)


def empty(shape, dtype):
    """An uninitialised array, C-contiguous and aligned to a cache line."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, np.asarray(_Block(_capacity(size))))


def release():
    """Give the memory that no array uses back to the operating system."""
    _free.clear()


def _capacity(size):
    """The size rounded up to one of eight steps per power of two, so that near sizes share memory."""
    step = max(1 << max(size.bit_length() - 4, 0), ALIGNMENT)
    return -(-size // step) * step


def _map(capacity):
    """Fresh memory that starts on a cache line, as bytes."""
    if capacity < mmap.PAGESIZE:
        memory = np.empty(capacity + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        return memory[start : start + capacity]
    pages = mmap.mmap(-1, capacity)
    if capacity >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint8)
