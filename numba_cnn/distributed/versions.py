"""What must be the same on every rank, whatever a script does: versions, and how wide vectors are."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from numba_cnn import __version__, backends


def versions() -> dict[str, Any]:
    """By what errors call it."""
    cpu = backends.get("cpu")
    return {
        "numba_cnn": __version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "width of vectors (NUMBA_CNN_VECTOR_BITS)": cpu.describe()["vector width"],
    }
