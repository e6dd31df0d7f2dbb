"""Numba's simulator, mended: `cuda.shared.array` looks an array up and then inserts it without a
lock, so that two threads of a block which reach the line together can be given two arrays.
"""

import sys
from threading import Lock

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
