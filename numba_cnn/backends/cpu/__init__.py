"""The CPU backend: NumPy arrays, kernels compiled by Numba, one share of the work per thread."""

import numba
import numpy as np

from numba_cnn.backends.contract import Abilities, offer
from numba_cnn.backends.cpu.codegen.host import CACHE_BUDGET, VECTOR_BITS
from numba_cnn.backends.cpu.runtime import memory
from numba_cnn.backends.cpu.runtime.launch import (
    cache_folder,
    finish_deferred,
    host_call,
    is_warm,
)
from numba_cnn.backends.cpu.runtime.launch_graph import (
    LaunchGraph,
    forget_recordings_of_ops,
    limit_recordings,
)
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads, set_num_threads, threading_layer

NAME = "cpu"
ABILITIES = Abilities(
    epilogues=frozenset({"relu"}), records=True, prefetches=True, cache_budget=CACHE_BUDGET
)

__all__ = [
    "ABILITIES",
    "NAME",
    "LaunchGraph",
    "asarray",
    "describe",
    "empty",
    "finish_deferred",
    "get_num_threads",
    "host_call",
    "is_available",
    "is_simulator",
    "is_warm",
    "limit_recordings",
    "owns",
    "release_memory",
    "set_num_threads",
    "synchronize",
    "to_numpy",
    "why_unavailable",
]

offer(__name__)


def is_available():
    return True


def is_simulator():
    return False


def why_unavailable():
    return None


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


def release_memory():
    """Forget the recordings of single ops, and give memory that nobody uses back to the system."""
    forget_recordings_of_ops()
    memory.release()


def describe():
    """What the kernels run on, in words."""
    most = numba.config.NUMBA_NUM_THREADS
    return {
        "numba": numba.__version__,
        "threads": f"{get_num_threads()} of {most}",
        "threading layer": threading_layer() or "not started",
        "vector width": f"{VECTOR_BITS} bits",
        "kernel cache": cache_folder()
        or "none: no folder could be written, kernels are compiled in every process",
    }
