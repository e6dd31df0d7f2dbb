"""Means of differences, by kernels of their own."""

from __future__ import annotations

from numba_cnn import ops
from numba_cnn.losses.loss import Loss
from numba_cnn.ops import Array


class MeanSquaredError(Loss):
    """The mean of the squared differences, over the last axis and the samples."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return ops.mean_squared_error(y_pred, y_true, sample_weight)


class MeanAbsoluteError(Loss):
    """The mean of the sizes of the differences, over the last axis and the samples."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return ops.mean_absolute_error(y_pred, y_true, sample_weight)
