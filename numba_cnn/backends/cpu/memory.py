"""Output arrays on reused memory.

A freshly mapped buffer costs a page fault per 4 KiB at its first write, as much as a kernel on
large activations. So the memory behind an array goes back to a free list when the last view of it
dies, and the next array of that size takes it. Memory is never given back to the operating system:
graphs keep addresses.
"""

import contextlib
import mmap
import threading
from collections import defaultdict
from functools import cache
from math import prod

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
# Python's default is to share: a forked process would write into its parent's arrays.
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
# Capacity in bytes -> memory nobody uses, each as the array that owns it and its array interface.
_free: defaultdict[int, list] = defaultdict(list)
# The same for what graphs compute on the way: as one runs at a time, they all share it.
_free_for_graphs: defaultdict[int, list] = defaultdict(list)


class _Here(threading.local):
    """Where this thread's arrays get their memory, and whether graphs have some that lasts."""

    free = _free
    lasts = False


_here = _Here()


class _Block:
    """Some memory as the owner of arrays; it returns to its free list when the last of them is gone."""

    __slots__ = ("__array_interface__", "_capacity", "_free", "_memory")

    def __init__(self, capacity):
        self._free = _here.free
        try:
            self._memory = self._free[capacity].pop()
        except IndexError:
            memory = _map(capacity)
            self._memory = memory, memory.__array_interface__
        self._capacity, self.__array_interface__ = capacity, self._memory[1]

    def __del__(self):
        self._free[self._capacity].append(self._memory)


@contextlib.contextmanager
def shared_by_graphs(lasts):
    """Inside, this thread's new arrays lie in memory that other graphs may overwrite whenever they run; if it `lasts`,
    but for that of lasting()."""
    before = _here.free, _here.lasts
    _here.free, _here.lasts = _free_for_graphs, lasts
    try:
        yield
    finally:
        _here.free, _here.lasts = before


def empty(shape, dtype):
    """An uninitialised array, C-contiguous and aligned to a cache line."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, np.asarray(_Block(capacity(size))))


def graph_lasts():
    """Whether a graph is being made that may have lasting() arrays."""
    return _here.lasts


def lasting(shape, dtype):
    """An array of the graph that is being made, and of no other: NaN before it first runs, then as its last run left
    it."""
    _here.free = _free
    try:
        array = empty(shape, dtype)
    finally:
        _here.free = _free_for_graphs
    array[...] = np.nan
    return array


def owner(array):
    """What holds the memory of an array: the first array there was, or the block that empty() took."""
    while type(array) is np.ndarray and array.base is not None:
        array = array.base
    return array


def is_shared(array):
    """Whether the array was made by shared_by_graphs()."""
    block = owner(array)
    return isinstance(block, _Block) and block._free is _free_for_graphs


@cache
def constant(value, count, dtype):
    """An array that holds a value so many times, and that nobody writes to."""
    return np.full(count, value, dtype)


def capacity(size):
    """The size rounded up to one of eight steps per power of two, so that near sizes share memory."""
    step = max(1 << max(size.bit_length() - 4, 0), ALIGNMENT)
    return -(-size // step) * step


def _map(capacity):
    """Fresh memory that starts on a cache line, as bytes."""
    if capacity < mmap.PAGESIZE:
        memory = np.empty(capacity + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        return memory[start : start + capacity]
    return np.frombuffer(mmap.mmap(-1, capacity, **_PRIVATE), np.uint8)
