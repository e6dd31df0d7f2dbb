"""The CPU backend: NumPy arrays, kernels compiled by Numba, one share of the work per thread."""

import numba
import numpy as np

from numba_cnn.backends.cpu.caches import CACHED
from numba_cnn.backends.cpu.conv2d import (
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_max_pool2d,
    conv2d_max_pool2d_backward,
)
from numba_cnn.backends.cpu.dense import dense, dense_backward_input, dense_backward_weight
from numba_cnn.backends.cpu.gather import gather, gather_aside
from numba_cnn.backends.cpu.graph import Graph
from numba_cnn.backends.cpu.launch import cache_folder, finish_aside, is_warm
from numba_cnn.backends.cpu.max_pool2d import max_pool2d, max_pool2d_backward
from numba_cnn.backends.cpu.memory import empty
from numba_cnn.backends.cpu.optimizers import adam, rmsprop, sgd
from numba_cnn.backends.cpu.relu import relu, relu_backward
from numba_cnn.backends.cpu.softmax_crossentropy import (
    softmax,
    sparse_categorical_accuracy,
    sparse_categorical_crossentropy,
)
from numba_cnn.backends.cpu.threads import get_num_threads, set_num_threads, threading_layer
from numba_cnn.backends.cpu.vector import BITS

NAME = "cpu"

__all__ = [
    "CACHED",
    "NAME",
    "Graph",
    "adam",
    "asarray",
    "conv2d",
    "conv2d_backward_input",
    "conv2d_backward_weight",
    "conv2d_max_pool2d",
    "conv2d_max_pool2d_backward",
    "dense",
    "dense_backward_input",
    "dense_backward_weight",
    "describe",
    "empty",
    "finish_aside",
    "gather",
    "gather_aside",
    "get_num_threads",
    "is_available",
    "is_warm",
    "max_pool2d",
    "max_pool2d_backward",
    "owns",
    "relu",
    "relu_backward",
    "rmsprop",
    "set_num_threads",
    "sgd",
    "softmax",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "synchronize",
    "to_numpy",
]


def is_available():
    return True


def owns(array):
    return isinstance(array, np.ndarray)


def asarray(array):
    """The array as the kernels take it: no subclass, C-contiguous, aligned, writeable; copied only if it must be."""
    if type(array) is np.ndarray and array.flags.carray:
        return array
    return np.require(np.asarray(array), requirements="CAW")


def to_numpy(array):
    return array


def synchronize():
    """Kernels have finished when they return; there is nothing to wait for."""


def describe():
    """What the kernels run on, in words."""
    most = numba.config.NUMBA_NUM_THREADS
    return {
        "numba": numba.__version__,
        "threads": f"{get_num_threads()} of {most}",
        "threading layer": threading_layer() or "not started",
        "vector width": f"{BITS} bits",
        "kernel cache": cache_folder()
        or "none: no folder could be written, kernels are compiled in every process",
    }
