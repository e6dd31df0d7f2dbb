"""Which backend runs what: by name, or by where arrays live. Nothing is imported before it is asked
for.

A backend is a folder whose module offers NAME, ABILITIES, is_available(), is_simulator(), why_unavailable(), is_warm(),
owns(array), asarray, empty, to_numpy, synchronize, and every op of contract.py.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from numba_cnn.uncollected import load

NAMES = ("cpu", "cuda")


def available() -> list[str]:
    """The names of the backends that can run here, e.g. ["cpu"]; the simulator shows as "cuda (simulator)"."""
    return [backend.NAME for backend in map(_load, NAMES) if backend.is_available()]


def get(name: str = "auto") -> Any:
    """The backend of that name; "auto" is a real GPU where there is one, else the CPU, and never the simulator.

    Raises ValueError for an unknown name, RuntimeError with what to install when "cuda" is asked for and cannot run.
    """
    if name == "auto":
        cuda = _load("cuda")
        is_real = cuda.has_driver() and cuda.is_available() and not cuda.is_simulator()
        return cuda if is_real else _load("cpu")
    if name not in NAMES:
        raise ValueError(f'backend must be "auto", "cpu" or "cuda". Received: {name!r}')
    backend = _load(name)
    if not backend.is_available():
        raise RuntimeError(backend.why_unavailable())
    return backend


def of(op: str, **arrays: Any) -> Any:
    """The backend that holds all the arrays (None is skipped); TypeError where they are mixed or no arrays,
    RuntimeError with what to install where they live on a GPU and "cuda" cannot run.
    """
    places = {name: _place(array) for name, array in arrays.items() if array is not None}
    if set(places.values()) == {"cpu"} or set(places.values()) == {"cuda"}:
        return get(places.popitem()[1])
    words = {"cpu": "a NumPy array (cpu)", "cuda": "a device array (cuda)"}
    received = ", ".join(f"{name} {words.get(place, place)}" for name, place in places.items())
    if set(places.values()) <= set(words):
        raise TypeError(
            f"{op}: the arrays live on different backends; move them to one. Received: {received}"
        )
    raise TypeError(
        f"{op}: expected NumPy or device arrays; np.asarray makes one of a list or of another library's "
        f"array on the host. Received: {received}"
    )


def release_memory() -> None:
    """Have the CPU backend, if it is in use, give memory that nobody uses back to the system."""
    cpu = sys.modules.get(f"{__name__}.cpu")
    if cpu is not None:
        cpu.release_memory()


def _place(array: Any) -> str:
    """The name of the backend that owns the array, or the name of its type if none does."""
    if isinstance(array, np.ndarray):
        return "cpu"
    return "cuda" if _load("cuda").owns(array) else type(array).__name__


def _load(name: str) -> Any:
    return load(f"{__name__}.{name}")
