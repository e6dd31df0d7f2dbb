"""What a call gives is of the kind that it was given."""

from __future__ import annotations

from typing import Any

import numpy as np


def alike(x: Any, y: Any) -> Any:
    """y; a copy with numpy() where x has one, being an array of NumPy's own kind as data sets give them."""
    if type(x) is np.ndarray or not (isinstance(x, np.ndarray) and hasattr(x, "numpy")):
        return y
    if isinstance(y, list):
        return [alike(x, one) for one in y]
    return y.copy().view(type(x)) if isinstance(y, np.ndarray) else y
