"""Metrics: what is reported of an epoch, as means over its samples."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest, ops, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, number, text

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "get",
]


class Mean(Checked):
    """The mean of the batches' values, each counted as often as its batch has samples.

    A value is an array of shape () where it was computed. It is read when the mean is asked for, so
    that a step on a device need not wait for it.
    """

    direction: ClassVar[str] = "min"  # which way it improves

    _settings: ClassVar[Settings] = {"name": text}
    _unexplained: ClassVar[tuple[str, ...]] = ("add", "of_batch")
    _UNREAD_LIMIT = 1024  # values; more are read on the way, to bound the memory they take

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset_state()

    def reset_state(self) -> None:
        self._sum, self._count = 0.0, 0
        self._unread: list[tuple[Array, int]] = []

    def add(self, value: Array, count: int) -> None:
        """Count the value of one batch of `count` samples; a loss of the user's may give a plain number."""
        value = np.asarray(value) if isinstance(value, float | np.generic) else value
        self._unread.append((value, count))
        if len(self._unread) >= self._UNREAD_LIMIT:
            self._read()

    def result(self) -> float:
        """The mean so far; 0 before the first batch, as in Keras."""
        self._read()
        return self._sum / self._count if self._count else 0.0

    def __getstate__(self) -> dict[str, Any]:
        """The mean so far as numbers: what is not read yet may lie on a device."""
        self._read()
        return {**vars(self), "_unread": []}

    def _read(self) -> None:
        if self._unread:
            backend = backends.of(self.name, value=self._unread[0][0])
            total, samples = self._sum, self._count
            for value, count in self._unread:
                total += float(backend.to_numpy(value)) * count
                samples += count
            self._sum, self._count = total, samples
            self._unread.clear()


class Metric(Mean):
    """The mean over the samples of a number that each batch gives."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        """The value of one batch, an array of shape () where it was computed."""
        raise NotImplementedError

    def takes_scores(self, outputs: int) -> bool:
        """Whether scores before a softmax or a sigmoid do as well as that many outputs: their order counts alone."""
        return False

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class SparseCategoricalAccuracy(Metric):
    """The share of samples whose largest output is that of their label, an integer."""

    direction = "max"

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.sparse_categorical_accuracy(y_pred, y_true)

    def takes_scores(self, outputs: int) -> bool:
        return True


class CategoricalAccuracy(Metric):
    """The share of samples whose largest output stands where their largest target does."""

    direction = "max"

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.categorical_accuracy(y_pred, y_true)

    def takes_scores(self, outputs: int) -> bool:
        return True


class BinaryAccuracy(Metric):
    """The share of outputs that lie on the same side of the threshold as their targets, 0 or 1."""

    direction = "max"
    _settings: ClassVar[Settings] = {"threshold": number(0, 1)}

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.binary_accuracy(y_pred, y_true, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class Accuracy(Metric):
    """The accuracy that fits the targets: what "accuracy" means to compile().

    Binary for one output, of labels for integers, else categorical, as in Keras.
    """

    direction = "max"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        *_, outputs = y_pred.shape
        if outputs == 1:
            return ops.binary_accuracy(y_pred, y_true, 0.5)
        if len(y_true.shape) < len(y_pred.shape):
            return ops.sparse_categorical_accuracy(y_pred, y_true)
        return ops.categorical_accuracy(y_pred, y_true)

    def takes_scores(self, outputs: int) -> bool:
        return outputs > 1


class MeanSquaredError(Metric):
    """The mean of the squared differences."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.mean_squared_error(y_pred, y_true)[0]


class MeanAbsoluteError(Metric):
    """The mean of the sizes of the differences."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.mean_absolute_error(y_pred, y_true)[0]


_NAMES: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "acc": Accuracy,
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
}


@nearest.keywords
def get(identifier: Any) -> Metric:
    """A metric by name ("accuracy", its name then), class, object or Keras configuration."""
    metric: Metric = registry.get("metric", identifier, _NAMES)
    if isinstance(identifier, str) and identifier in _NAMES:
        metric.name = identifier
    return metric


__getattr__ = nearest.attributes(__name__, __all__)
