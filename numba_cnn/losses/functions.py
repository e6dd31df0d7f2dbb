"""Losses as functions: the values of samples, which nothing is the mean of yet; loss= takes them too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from numba_cnn import formulas, nearest
from numba_cnn.losses import by_formula
from numba_cnn.losses.crossentropies import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from numba_cnn.losses.errors import MeanAbsoluteError, MeanSquaredError
from numba_cnn.losses.loss import Loss
from numba_cnn.losses.overlap import Dice, Tversky

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
            f"{op}: y_true must have the shape {expected} for this y_pred. Received: y_true of shape {t.shape}"
        )
    return t, y


def _function(name: str, cls: type[Loss]) -> Callable[..., Any]:
    """The formula of that name as a function of targets, outputs and the settings of the loss."""
    formula = getattr(formulas, name)
    settings = list(inspect.signature(formula).parameters.values())[2:]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = [inspect.Parameter(word, kind) for word in ("y_true", "y_pred")]
    signature = inspect.Signature([*given, *settings])

    def function(*arguments: Any, **named: Any) -> np.ndarray:
        nearest.check_keywords(name, named, signature.parameters)
        try:
            found = signature.bind(*arguments, **named).arguments
        except TypeError as error:
            shown = [nearest.shown(one) for one in (*arguments, *named.values())]
            raise TypeError(
                f"{name}: {error}. Received: {', '.join(shown) or 'nothing'}"
            ) from error
        y_true, y_pred = found.pop("y_true"), found.pop("y_pred")
        checked = cls(**found)
        t, y = arrays(name, y_true, y_pred)
        with np.errstate(all="ignore"):
            taken = {key: getattr(checked, key) for key in found}
            values: np.ndarray = formula(t, y, **taken)[0]
        return values

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The {name.replace('_', ' ')} of each sample, as an array of NumPy's."
    vars(function)["__signature__"] = signature
    return function


_CLASSES: tuple[type[Loss], ...] = (
    *(cls for cls in by_formula.ByFormula.__subclasses__() if cls not in (Dice, Tversky)),
    Dice,
    Tversky,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
)
FUNCTIONS = {
    name: _function(name, cls)
    for cls in _CLASSES
    for name in (inspect.signature(cls).parameters["name"].default.removesuffix("_loss"),)
}
