"""The CPU backend: NumPy arrays, kernels compiled by Numba with parallel loops."""

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
