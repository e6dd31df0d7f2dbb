"""Backends by name, as pickles and deep copies keep them: a module cannot be copied."""

from __future__ import annotations

import warnings
from typing import Any

from numba_cnn import backends


def name_of(backend: Any) -> str | None:
    """The name that get() knows the backend by; None for None."""
    return None if backend is None else str(backend.__name__.rpartition(".")[2])


def restored(name: str | None) -> Any:
    """The backend of that name, or the CPU with a warning where it cannot run here; None for None."""
    if name is None:
        return None
    try:
        return backends.get(name)
    except RuntimeError as error:
        warnings.warn(f"a copy made on {name!r} goes on on the CPU: {error}", stacklevel=2)
        return backends.get("cpu")
