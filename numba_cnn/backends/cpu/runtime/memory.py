"""Output arrays on reused memory.

A freshly mapped buffer costs a page fault per 4 KiB at its first write, as much as a kernel on large activations. So
the memory behind an array goes back to a free list when the last view of it dies, and the next array of that size takes
it. As much is kept free as was in use at once since the last full garbage collection; the longest unused goes first.

What recordings compute on the way lies in an arena of its own: see arena.py.
"""

import contextlib
import gc
import mmap
import threading
from collections import defaultdict
from functools import cache
from itertools import count
from math import prod

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
HUGE_BYTES = 1 << 22  # from which on memory asks for huge pages, as NumPy's does
KEPT = 16 << 20  # bytes that may lie free in any case
# Python's default is to share: a forked process would write into its parent's arrays.
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


class _Pool:
    """Memory that nobody uses: capacity in bytes -> [(when it was freed, memory)], the latest last.

    Memory is the array that owns it and its array interface. The lock lets in the thread that holds it: arrays die
    wherever garbage is collected.
    """

    def __init__(self):
        self.free = defaultdict(list)
        self.free_bytes = self.used_bytes = self.most_used = 0
        self._lock = threading.RLock()
        self._clock = count()

    def take(self, capacity):
        with self._lock:
            self.used_bytes += capacity
            self.most_used = max(self.most_used, self.used_bytes)
            if blocks := self.free[capacity]:
                self.free_bytes -= capacity
                return blocks.pop()[1]
        memory = map_bytes(capacity)
        return memory, memory.__array_interface__

    def give_back(self, capacity, memory):
        with self._lock:
            self.used_bytes -= capacity
            self.free_bytes += capacity
            self.free[capacity].append((next(self._clock), memory))
            if self.free_bytes > max(KEPT, self.most_used):
                self.trim(max(KEPT, self.most_used))

    def trim(self, most):
        """Give memory back to the system, the longest unused first, until at most so many bytes lie free."""
        with self._lock:
            while self.free_bytes > most:
                capacity = min(
                    (c for c, blocks in self.free.items() if blocks),
                    key=lambda c: self.free[c][0][0],
                )
                self.free[capacity].pop(0)
                self.free_bytes -= capacity

    def after_collection(self, phase, info):
        """After a full garbage collection: what was used before it says nothing about what will be."""
        if phase == "stop" and info["generation"] == 2:
            with self._lock:
                self.most_used = self.used_bytes
                self.trim(KEPT)


_pool = _Pool()
gc.callbacks.append(_pool.after_collection)


class _Block:
    """Some memory as the owner of arrays; it returns to the pool when the last of them is gone."""

    __slots__ = ("__array_interface__", "_capacity", "_memory")

    def __init__(self, capacity):
        self._memory = _pool.take(capacity)
        self._capacity, self.__array_interface__ = capacity, self._memory[1]

    def __del__(self):
        with contextlib.suppress(AttributeError):  # a signal has stopped it before it was whole
            _pool.give_back(self._capacity, self._memory)


class ScratchBlock:
    """Memory of a recording, which no launch writes to: it stands for a place in the arena."""

    __slots__ = ("__array_interface__", "_sketch", "_which")

    def __init__(self, sketch, capacity):
        self._sketch = sketch
        self._which, self.__array_interface__ = sketch.add(capacity)

    def __del__(self):
        with contextlib.suppress(AttributeError):
            self._sketch.end(self._which)


class _Here(threading.local):
    """The sketch of the recording that this thread makes, and whether that may have persistent() arrays."""

    sketch = None
    persists = False


_here = _Here()


@contextlib.contextmanager
def sketched(sketch, persists):
    """Inside, this thread's new arrays are entered in an arena's sketch; if the recording `persists`, but for
    persistent() ones."""
    before = _here.sketch, _here.persists
    _here.sketch, _here.persists = sketch, persists
    try:
        yield
    finally:
        _here.sketch, _here.persists = before


def empty(shape, dtype):
    """An uninitialised array, C-contiguous and aligned to a cache line."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    sketch = _here.sketch
    block = _Block(capacity(size)) if sketch is None else ScratchBlock(sketch, capacity(size))
    return np.ndarray(shape, dtype, np.asarray(block))


def recording_persists():
    """Whether a graph is being made that may have persistent() arrays."""
    return _here.persists


def persistent(shape, dtype):
    """An array private to the graph under construction. It keeps its contents from run to run and starts as NaN."""
    sketch, _here.sketch = _here.sketch, None
    try:
        array = empty(shape, dtype)
    finally:
        _here.sketch = sketch
    array[...] = np.nan
    sketch.persistent.append(array)
    return array


def owner(array):
    """What holds the memory of an array: the first array there was, or the block that empty() took."""
    while type(array) is np.ndarray and array.base is not None:
        array = array.base
    return array


def is_scratch(array):
    """Whether the array was made by empty() while launches were recorded."""
    return isinstance(owner(array), ScratchBlock)


def release():
    """Give all memory that nobody uses back to the system."""
    _pool.trim(0)


@cache
def constant(value, count, dtype):
    """An array that holds a value so many times, and that nobody writes to."""
    return np.full(count, value, dtype)


def capacity(size):
    """The size rounded up to one of eight steps per power of two, so that near sizes share memory."""
    step = max(1 << max(size.bit_length() - 4, 0), ALIGNMENT)
    return -(-size // step) * step


def map_bytes(capacity):
    """Fresh memory that starts on a cache line, as bytes."""
    if capacity < mmap.PAGESIZE:
        memory = np.empty(capacity + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        return memory[start : start + capacity]
    memory = mmap.mmap(-1, capacity, **_PRIVATE)
    if capacity >= HUGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)
