"""Plain functions of (y_true, y_pred) as losses: on NumPy's arrays, with their own gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest
from numba_cnn.losses.by_formula import broadcast
from numba_cnn.losses.loss import Loss
from numba_cnn.ops import Array


class FunctionLoss(Loss):
    """The mean of what a function gives for samples.

    function(y_true, y_pred) takes NumPy's arrays, targets as fit() got them, and returns (values, gradient): a number
    for each sample, or one for the batch, and the derivative of each sample's number, or of the one, by its outputs.
    """

    on_host: bool = True
    takes_any: ClassVar[bool] = True

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        super().__init__(name or function.__name__.replace("<lambda>", "loss"))
        self.function = function

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        backend = backends.of(self.name, y_pred=y_pred)
        y = np.asarray(backend.to_numpy(y_pred))
        values, gradient = self._called(np.asarray(backend.to_numpy(y_true)), y)
        weights = np.ones_like(values)
        if sample_weight is not None:
            weights = broadcast(self.name, np.asarray(backend.to_numpy(sample_weight)), values)
        share = (weights / values.size).reshape(values.shape + (1,) * (y.ndim - values.ndim))
        dy = np.ascontiguousarray(gradient * share, y.dtype)
        loss = np.asarray((values * weights).sum() / values.size, y.dtype)
        return backend.asarray(loss), backend.asarray(dy)

    def _called(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The function's values and gradient, known to fit the outputs."""
        given = self.function(y_true, y_pred)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{self.name}: a loss of NumPy's says its gradient too: return (values, gradient); losses of tensor "
                f"functions are not served yet. Received: {nearest.shown(given)}"
            )
        values, gradient = (np.asarray(one) for one in given)
        if values.shape != y_pred.shape[: values.ndim] or gradient.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: expected a value for each sample and a gradient of shape {y_pred.shape}. "
                f"Received: values of shape {values.shape}, a gradient of shape {gradient.shape}"
            )
        return values.astype(y_pred.dtype), gradient
