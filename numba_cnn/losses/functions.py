"""Losses as functions: the values of samples, which nothing is the mean of yet; loss= takes them too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from numba_cnn import formulas, nearest

_SPARSE = "sparse_categorical_crossentropy", "categorical_generalized_cross_entropy"


def _array(op: str, name: str, value: Any) -> np.ndarray:
    """The numbers, of which labels stay integers and all else is float32 or float64."""
    try:
        found: np.ndarray = np.asarray(value)
    except (TypeError, ValueError):
        found = np.empty(0, object)
    if found.dtype.kind not in "fiub" or not found.ndim:
        raise ValueError(
            f"{op}: {name} must be an array of real numbers. Received: {nearest.shown(value)}"
        )
    return found


def _float(array: np.ndarray) -> np.ndarray:
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def arrays(
    op: str, y_true: Any, y_pred: Any, owner: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and outputs as a formula takes them; errors name the formula, or its owner."""
    sparse, op = op in _SPARSE, owner or op
    t, y = _array(op, "y_true", y_true), _float(_array(op, "y_pred", y_pred))
    if sparse:
        t = t[..., 0] if t.ndim == y.ndim and t.shape[-1] == 1 else t
        expected = y.shape[:-1]
    else:
        t = t[..., None] if t.ndim == y.ndim - 1 and y.shape[-1] == 1 else t
        t, expected = t.astype(y.dtype), y.shape
    if t.shape != expected:
        raise ValueError(
            f"{op}: y_true must have the shape {expected}. Received: y_true of shape {t.shape}"
        )
    return t, y


def _function(name: str) -> Callable[..., Any]:
    formula = getattr(formulas, name)

    @wraps(formula)
    def function(y_true: Any, y_pred: Any, *settings: Any, **named: Any) -> np.ndarray:
        t, y = arrays(name, y_true, y_pred)
        with np.errstate(all="ignore"):
            values: np.ndarray = formula(t, y, *settings, **named)[0]
        return values

    function.__doc__ = f"The {name.replace('_', ' ')} of each sample, as an array of NumPy's."
    return function


NAMES = (
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy", "categorical_hinge", "cosine_similarity", "dice", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
)  # fmt: skip
FUNCTIONS = {name: _function(name) for name in NAMES}
