"""What a call gives is of the kind of what it is given."""

from __future__ import annotations

from typing import Any

import numpy as np

_of_plain: type[np.ndarray] | None = None  # what plain arrays give; None: plain arrays


def answer_as(kind: type[np.ndarray] | None) -> None:
    """From now on calls on plain arrays give this kind: scripts for Keras ask every result for numpy()."""
    global _of_plain
    _of_plain = kind


def alike(x: Any, y: Any) -> Any:
    """y; a copy with numpy() where x has one, being an array of NumPy's own kind as data sets give them."""
    kind = _of_plain
    if type(x) is not np.ndarray and isinstance(x, np.ndarray) and hasattr(x, "numpy"):
        kind = type(x)
    if kind is None or not isinstance(x, np.ndarray):
        return y
    if isinstance(y, list):
        return [alike(x, one) for one in y]
    return y.copy().view(kind) if isinstance(y, np.ndarray) else y
