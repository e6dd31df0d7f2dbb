"""What a loss is."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, text


class Loss(Checked):
    """The mean over a batch of what its samples cost, and its gradient.

    A call takes targets, outputs and the samples' weights, in Keras's order, and returns the value, where it was
    computed; on_outputs() returns it with the gradient with respect to the outputs. The sum is divided by the number of
    samples, not by the sum of the weights, as in Keras.
    """

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {
        "reduction": ("sum_over_batch_size",),
        "axis": (-1,),
        "dtype": ("float32",),
    }
    activations: ClassVar[tuple[str, ...]] = ()  # before which on_scores() takes what a model gives
    has_classes: ClassVar[bool] = False  # whether targets are integers
    takes_any: ClassVar[bool] = False  # whether targets are what fit() got, of any shape
    ignore_class: int | None = None  # a label beside the classes, whose rows do not count
    on_host: bool = False  # whether it computes with NumPy, which no recording holds
    _settings: ClassVar[Settings] = {"name": text}

    @property
    def of_whole_batch(self) -> bool:
        """Whether it is no mean of what samples cost, so that the losses of a batch's parts do not add up to it."""
        return self.ignore_class is not None

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Array:
        return self.on_outputs(y_true, y_pred, sample_weight)[0]

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """The value and the gradient."""
        raise NotImplementedError

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """The same on what comes before the model's last activation, one of `activations`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
