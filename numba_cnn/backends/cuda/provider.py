"""The only import of a CUDA module: which package serves `numba.cuda`, whether it is the simulator,
why there is none.

Plain Numba brings the simulator (NUMBA_ENABLE_CUDASIM=1, set before Numba is imported); a GPU needs
numba-cuda, which the extras cu12 and cu13 install and which takes numba.cuda over. Nothing here
touches a driver before it is asked for.
"""

import os
from functools import cache

from numba import config, cuda

from numba_cnn.backends.cuda.simulator import called_by_kernels, lock_shared_arrays

SIMULATOR = bool(config.ENABLE_CUDASIM)
COMPILER = not SIMULATOR and cuda.implementation == "NVIDIA"

if COMPILER:
    from numba.cuda import types
    from numba.cuda.extending import intrinsic
else:
    types = intrinsic = None

if SIMULATOR:
    from numba.cuda.simulator.kernelapi import FakeCUDAShared

    lock_shared_arrays(FakeCUDAShared)

_NEEDS = 'backend "cuda" needs an NVIDIA GPU, its driver and the package numba-cuda'
_HOW = (
    'Install the extra for the driver\'s CUDA version, pip install "numba-cnn[cu13]" or '
    '"numba-cnn[cu12]"; without a GPU, NUMBA_ENABLE_CUDASIM=1 in the environment runs the kernels, '
    "slowly, in Numba's simulator."
)

# In which launchers of MPI tell a process which one it is on its host.
_PLACES = "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"

_kernels: list = []


def jit(kernel):
    """A kernel, compiled at its first launch."""
    _kernels.append(cuda.jit(kernel))
    return _kernels[-1]


def is_warm():
    """Whether a kernel has been compiled; the simulator compiles none."""
    return SIMULATOR or any(kernel.overloads for kernel in _kernels)


def device(function):
    """A function that kernels call, always inlined; where nothing compiles it stays the Python that
    it is.
    """
    if COMPILER:
        return cuda.jit(function, device=True, forceinline=True)
    uses_cuda = SIMULATOR and "cuda" in function.__code__.co_names
    return called_by_kernels(function, cuda) if uses_cuda else function


@cache
def why_unavailable():
    """The sentence that says what is missing, or None where kernels can run."""
    if SIMULATOR:
        return None
    if not COMPILER:
        return f"{_NEEDS}, which is not installed. {_HOW}"
    if not cuda.is_available():
        found = " ".join(str(cuda.cuda_error() or "no CUDA device").split()).rstrip(" .:")
        return f"{_NEEDS}; no GPU answers ({found}). {_HOW}"
    return None


def take_card():
    """Have a process that is one of several on its host compute on a card of its own, or, where there are fewer, on
    one in turn; called before anything is on a card.
    """
    places = [os.environ[name] for name in _PLACES if os.environ.get(name, "").isdecimal()]
    if places:
        cuda.select_device(int(places[0]) % len(cuda.gpus))
