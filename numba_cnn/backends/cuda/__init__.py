"""The CUDA backend: device arrays, kernels compiled by Numba for NVIDIA GPUs, or run by Numba's
simulator.

Importing this package imports no CUDA module; the first call that needs one does.
"""

import ctypes
import os
import sys
from importlib import import_module

from numba_cnn.backends.contract import Abilities, offer

ABILITIES = Abilities(epilogues=frozenset({"relu"}))

_DRIVERS = {
    "win32": ["nvcuda.dll"],
    "linux": ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", "/usr/lib64/libcuda.so.1"],
}
_MEMORY = (
    "asarray",
    "empty",
    "host_memory",
    "owns",
    "start_copy",
    "synchronize",
    "to_dlpack",
    "to_numpy",
)


def has_driver():
    """Whether the system has NVIDIA's driver; without it there is no GPU, and half a second of imports is saved."""
    named = os.environ.get("NUMBA_CUDA_DRIVER", "0")
    names = [named] if named != "0" else _DRIVERS.get(sys.platform, _DRIVERS["linux"])
    return any(map(_loads, names))


def _loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def is_available():
    """Whether kernels can run: there is a GPU with its driver and numba-cuda, or the simulator is
    on.
    """
    return why_unavailable() is None


def is_simulator():
    return _provider().SIMULATOR


def why_unavailable():
    """The sentence that says what is missing and how to get it, or None."""
    return _provider().why_unavailable()


def is_warm():
    """Whether some kernel has been compiled in this process, so that the next step does not wait
    for the compiler.
    """
    return _provider().is_warm()


def _provider():
    return import_module(f"{__name__}.provider")


def __getattr__(name):
    if name == "NAME":
        return "cuda (simulator)" if is_simulator() else "cuda"
    if name in _MEMORY:
        return getattr(import_module(f"{__name__}.memory"), name)
    raise AttributeError(name)  # Folder has the functions of the contract


offer(__name__)
