"""Numba's simulator, mended: `cuda.shared.array` looks an array up and then inserts it without a
lock, so that two threads of a block which reach the line together can be given two arrays; and the
barrier is there in a kernel's own file alone, where functions that kernels call may lie in another.
"""

import sys
from threading import Lock, current_thread
from types import FunctionType

import numpy as np
from numba.core.types import Type
from numba.np.numpy_support import as_dtype

_lock = Lock()


def lock_shared_arrays(memory):
    """Let `memory`, the simulator's class of shared memory, give all threads of a block the same
    array for a line.
    """
    unlocked = memory.array

    def array(self, shape, dtype, **settings):
        if shape == 0 or settings:  # dynamic memory, which no thread has to make
            return unlocked(self, shape, dtype, **settings)
        caller = sys._getframe(1)
        line = caller.f_code.co_filename, caller.f_lineno
        with _lock:
            if line not in self._allocations:
                dtype = as_dtype(dtype) if isinstance(dtype, Type) else dtype
                self._allocations[line] = np.empty(shape, dtype)
            return self._allocations[line]

    memory.array = array


class _InKernel:
    """numba.cuda to a function that a kernel calls: the barrier is that of the running thread."""

    def __init__(self, cuda):
        self._cuda = cuda

    def __getattr__(self, name):
        return getattr(current_thread() if name == "syncthreads" else self._cuda, name)


def called_by_kernels(function, cuda):
    """The function, with the barrier in whichever file it lies."""
    known = {**function.__globals__, "cuda": _InKernel(cuda)}
    return FunctionType(function.__code__, known, function.__name__, None, function.__closure__)
