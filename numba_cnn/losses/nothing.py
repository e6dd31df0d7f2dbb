"""The loss of an output that none is given for."""

from __future__ import annotations

from typing import ClassVar

from numba_cnn import ops
from numba_cnn.losses.loss import Loss
from numba_cnn.ops import Array


class NoLoss(Loss):
    """0, whatever the output is: None in the losses of a model of several outputs."""

    takes_any: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__("no_loss")

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return ops.mean_absolute_error(y_pred, y_pred)
