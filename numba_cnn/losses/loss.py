"""What a loss is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn.alike import alike
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, array, text


class Loss(Checked):
    """The mean over a batch of what its samples cost, and its gradient.

    A call takes targets, outputs and the samples' weights, in Keras's order, lists too, and returns the value, where it
    was computed. on_outputs() takes arrays of one type, and returns it with the gradient with respect to the outputs.
    The sum is divided by the number of samples, not by the sum of the weights, as in Keras.
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

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Array:
        given = y_pred
        y_pred = _on_host(y_pred, np.float64 if _is_double(y_pred) else np.float32)
        dtype = y_pred.dtype if isinstance(y_pred, np.ndarray) else None
        y_true = _on_host(y_true, None if self.has_classes else dtype)
        if sample_weight is not None:
            sample_weight = _on_host(sample_weight, dtype)
        return alike(given, self.on_outputs(y_true, y_pred, sample_weight)[0])

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


def _is_double(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def _on_host(value: Any, dtype: Any = None) -> Any:
    """A caller's numbers as an array of that dtype; an array of a GPU, and what is no number, as they are."""
    if not isinstance(value, np.ndarray | list | tuple):
        return value
    found = array(value)
    if found.dtype.kind not in "fiub":
        return found
    return found if dtype is None else found.astype(dtype, copy=False)
