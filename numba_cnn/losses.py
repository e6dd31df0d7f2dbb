"""Losses: what training makes small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, ops, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, flag, number, text

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]

Op = Callable[..., tuple[Array, Array]]


class Loss(Checked):
    """The mean over a batch of what its samples cost, and its gradient.

    A call takes targets, outputs and the samples' weights, in Keras's order, and returns (value, the gradient with
    respect to the outputs), where they were computed. The sum is divided by the number of samples, not by the sum of
    the weights, as in Keras.
    """

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {
        "reduction": ("sum_over_batch_size",),
        "axis": (-1,),
        "dtype": ("float32",),
    }
    activations: ClassVar[tuple[str, ...]] = ()  # before which on_scores() takes what a model gives
    has_classes: ClassVar[bool] = False  # whether targets are integers
    _settings: ClassVar[Settings] = {"name": text}

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return self.on_outputs(self.prepared(y_true), y_pred, sample_weight)

    def prepared(self, y_true: Array) -> Array:
        """The targets as the passes take them; on the host, before they go to a device."""
        return y_true

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """The value and the gradient for targets that are prepared."""
        raise NotImplementedError

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """The same on what comes before the model's last activation, one of `activations`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class _Crossentropy(Loss):
    """What the cross-entropies share: they are computed from scores, which is exact where Keras's clip of the
    probabilities at 1e-7 is not, if the model ends in the activation that makes probabilities of them, or gives scores
    itself (from_logits=True).
    """

    _settings: ClassVar[Settings] = {"from_logits": flag}
    _of_scores: ClassVar[Op]
    _of_probabilities: ClassVar[Op]

    def __init__(self, from_logits: bool, name: str) -> None:
        super().__init__(name)
        self.from_logits = from_logits

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        op = self._of_scores if self.from_logits else self._of_probabilities
        return op(y_pred, y_true, sample_weight)

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return self._of_scores(scores, y_true, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}


class SparseCategoricalCrossentropy(_Crossentropy):
    """-log of the probability of the right class, given as an integer."""

    activations = ("softmax",)
    has_classes = True
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {**Loss.inert, "ignore_class": (None,)}
    _of_scores = staticmethod(ops.sparse_categorical_crossentropy)
    _of_probabilities = staticmethod(ops.sparse_categorical_crossentropy_of_probabilities)

    def __init__(
        self, from_logits: bool = False, name: str = "sparse_categorical_crossentropy"
    ) -> None:
        super().__init__(from_logits, name)


class _Smoothed(_Crossentropy):
    """Cross-entropies whose targets may be brought nearer to one another."""

    _settings: ClassVar[Settings] = {"label_smoothing": number(0, 1)}

    def __init__(self, from_logits: bool, label_smoothing: float, name: str) -> None:
        super().__init__(from_logits, name)
        self.label_smoothing = label_smoothing

    def _classes(self, y_true: Array) -> int:
        """Between how many classes the targets choose."""
        raise NotImplementedError

    def prepared(self, y_true: Array) -> Array:
        """(1 - label_smoothing) * target + label_smoothing / classes."""
        if not self.label_smoothing:
            return y_true
        rest = np.asarray(self.label_smoothing / self._classes(y_true), y_true.dtype)
        return y_true * np.asarray(1 - self.label_smoothing, y_true.dtype) + rest

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


class CategoricalCrossentropy(_Smoothed):
    """-sum over the classes of target * log(probability), for targets such as one-hot rows."""

    activations = ("softmax",)
    _of_scores = staticmethod(ops.categorical_crossentropy)
    _of_probabilities = staticmethod(ops.categorical_crossentropy_of_probabilities)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name)

    def _classes(self, y_true: Array) -> int:
        return int(y_true.shape[-1])


class BinaryCrossentropy(_Smoothed):
    """-(target * log(p) + (1 - target) * log(1 - p)), the mean over the last axis too."""

    activations = ("sigmoid",)
    _of_scores = staticmethod(ops.binary_crossentropy)
    _of_probabilities = staticmethod(ops.binary_crossentropy_of_probabilities)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name)

    def _classes(self, y_true: Array) -> int:
        return 2


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


_NAMES: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
}


@nearest.keywords
def get(identifier: Any) -> Loss:
    """A loss by name, class, object or Keras configuration."""
    loss: Loss = registry.get("loss", identifier, _NAMES)
    return loss


__getattr__ = nearest.attributes(__name__, __all__)
