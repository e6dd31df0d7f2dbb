"""How many threads the kernels run on, and how long those without work look for some before they sleep."""

import os
from functools import cache

import numba
import numpy as np
from numba import njit, types

from numba_cnn.backends.cpu.codegen.compiler import cached, noinline
from numba_cnn.backends.cpu.runtime.memory import empty

# How often GNU OpenMP's threads look for work before they sleep; 300,000 times if nobody says. To wake one takes 0.1
# ms, which a step cannot afford at every launch; but where another program runs, those that look keep others from
# working. A training step of two threads on two cores, and beside a busy program: with 1,000 30 and 40 ms; with 10,000
# 21 and 60; with 300,000 22 and 90.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Elements of a pass over memory below which another thread costs more than it saves.
PER_THREAD = 1 << 14
_APART = 128  # bytes: two cache lines, which processors fetch together


def get_num_threads():
    """The number of threads that kernels run on now."""
    _start()
    return _number()


@cache
def _start():
    """Have Numba start its threads, from when on compiled code may ask for their number.

    Numba's own function of Python takes a lock that processes share at every call, which behind a kernel that has
    filled the caches costs as much as the rest of a launch: 13 to 25 us of it, on Zen 4.
    """
    numba.get_num_threads()


@cached
@njit(nogil=True)
def _number():
    return _masked()


# By the name that Numba's own parallel loops call.
_masked = types.ExternalFunction("get_num_threads", types.int32())


def set_num_threads(n):
    """Run kernels on n threads from now on; ValueError unless 1 <= n <= what Numba started with."""
    most = numba.config.NUMBA_NUM_THREADS
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= most:
        raise ValueError(
            f"set_num_threads: n must be an integer from 1 to {most}, the number of cores or NUMBA_NUM_THREADS. "
            f"Received: {n!r}"
        )
    numba.set_num_threads(n)


def for_each_thread(rows, columns, dtype):
    """An array (threads, rows, columns) with more rows than asked for, so that no cache line, nor the one beside it, is
    two threads': it would go to and fro between their cores."""
    more = -(-_APART // (columns * np.dtype(dtype).itemsize))
    return empty((get_num_threads(), rows + more, columns), dtype)


def threading_layer():
    """The name of Numba's threading layer, once a kernel has run; before that None."""
    try:
        return numba.threading_layer()
    except ValueError:
        return None


def threads_for(elements):
    """The number of threads for one pass over that many elements: one, or all there are."""
    return get_num_threads() if elements >= 2 * PER_THREAD else 1


@noinline
def run_of(share, shares, array):
    """The run of a flat array that a share is, as a view: its indices count from 0, which lets loops vectorise."""
    return array[share * array.size // shares : (share + 1) * array.size // shares]
