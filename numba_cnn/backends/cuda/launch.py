"""How kernels are started: grids, splits of long sums, geometry in the types of the device, one
stream for all of them.
"""

import warnings
from functools import cache, lru_cache
from threading import Lock

import numpy as np

from numba_cnn.backends.cuda.provider import SIMULATOR, cuda, take_card

# A thread of the simulator is a thread of the operating system, so there blocks and grids stay
# tiny.
THREADS = 32 if SIMULATOR else 256
ROW_THREADS = 8 if SIMULATOR else 128  # threads that share a row in softmax; a power of two

# Fewer blocks than this leave a large GPU idle, so sums are split until there are as many. It is a
# constant and no count of processors: the order of summation, and so every bit of the result, must
# not depend on the card.
BLOCKS = 4 if SIMULATOR else 256

_lock = Lock()  # the simulator runs one launch at a time


@cache
def stream():
    """The stream of every kernel: it waits for the legacy default stream of other libraries, but
    not for the copies.
    """
    take_card()
    return cuda.stream()


def launch(kernel, blocks, threads, *arguments):
    """Start a kernel on a grid of `blocks` (one to three integers) of `threads` threads each."""
    with _lock:
        _configured(kernel, blocks, threads)(*arguments)


def launch_each(kernel, count, *arguments):
    """Start a kernel with one thread for each of `count` elements."""
    launch(kernel, -(-count // THREADS), THREADS, *arguments)


def launch_elementwise(kernel, *arguments):
    """Start a kernel with one thread for each element of its arrays, which are of one size and come first."""
    sizes = [a.size for a in arguments if hasattr(a, "shape") and not isinstance(a, np.generic)]
    if len(set(sizes)) != 1:
        raise ValueError(f"{kernel.__name__}: arrays must be of one size. Received: {sizes}")
    launch_each(kernel, sizes[0], *arguments)


def _configure(kernel, blocks, threads):
    """A small grid is no reason for a warning here: small layers have small grids."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Grid size")
        return kernel[blocks, threads, stream()]


# In the simulator kernel[4] and kernel[8] are one object, so nothing may be kept there.
_configured = _configure if SIMULATOR else lru_cache(maxsize=1024)(_configure)


def splits(blocks, steps, least=4):
    """Into how many partial sums of at least `least` steps to cut a sum of `steps`, so that the GPU
    has work.
    """
    return max(1, min(BLOCKS // blocks, steps // least))


@lru_cache
def extents(geometry):
    """A geometry of shapes.py with int32 fields: Python's integers would make every index 64 bits
    wide.
    """
    return type(geometry)(*map(np.int32, geometry))
