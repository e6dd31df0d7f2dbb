"""The CPU backend: NumPy arrays, kernels compiled by Numba with parallel loops."""

import numba
import numpy as np

from numba_cnn.backends.reference import *  # noqa: F403  (replaced kernel by kernel)

NAME = "cpu"


def is_available():
    return True


def owns(array):
    return isinstance(array, np.ndarray)


def asarray(array):
    """The array as the kernels take it: C-contiguous, aligned, writeable; copied only if it is not."""
    return np.require(array, requirements="CAW")


def empty(shape, dtype):
    return np.empty(shape, dtype)


def to_numpy(array):
    return array


def synchronize():
    """Kernels have finished when they return; there is nothing to wait for."""


def is_warm():
    """Whether the kernels need no compiling any more."""
    return True


def set_num_threads(n):
    numba.set_num_threads(n)


def describe():
    """What a report on this machine should say about the backend, by name."""
    return {"numba": numba.__version__, "threads": str(numba.get_num_threads())}
