"""What must be the same on every rank, whatever a script does: versions, and how wide vectors are."""

from __future__ import annotations

from typing import Any

from numba_cnn import __version__, backends


def versions() -> dict[str, Any]:
    """By what errors call it."""
    from importlib.metadata import version  # reading of packages is not for every start

    cpu = backends.get("cpu")
    return {
        "numba_cnn": __version__,
        "numpy": version("numpy"),
        "numba": version("numba"),
        "width of vectors (NUMBA_CNN_VECTOR_BITS)": cpu.describe()["vector width"],
    }
