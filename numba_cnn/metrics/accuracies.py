"""Accuracies."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import ops
from numba_cnn.metrics.metric import Metric, on_host
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, integer, number


class SparseCategoricalAccuracy(Metric):
    """The share of samples whose largest output is that of their label, an integer."""

    formula = "sparse_categorical_crossentropy"
    direction = "max"

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.sparse_categorical_accuracy(y_pred, y_true)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _are(y_pred.argmax(-1) == y_true)

    def takes_scores(self, outputs: int) -> bool:
        return True


class CategoricalAccuracy(Metric):
    """The share of samples whose largest output stands where their largest target does."""

    direction = "max"

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.categorical_accuracy(y_pred, y_true)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _are(y_pred.argmax(-1) == y_true.argmax(-1))

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

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.asarray(_are((y_pred > y_pred.dtype.type(self.threshold)) == y_true).mean(-1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class Accuracy(Metric):
    """The share of outputs that equal their targets; what "accuracy" means to compile() is the one that fits them."""

    direction = "max"
    has_kernels = False

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.asarray(_are(y_true == y_pred).mean(-1))


class FittingAccuracy(Metric):
    """The accuracy that fits the targets: what "accuracy" means to compile().

    Binary for one output, of labels for integers, else categorical, as in Keras.
    """

    direction = "max"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)

    def _fitting(self, y_true: Any, y_pred: Any) -> Metric:
        *_, outputs = y_pred.shape
        if outputs == 1:
            return BinaryAccuracy(self.name)
        labels = len(y_true.shape) < len(y_pred.shape)
        return SparseCategoricalAccuracy(self.name) if labels else CategoricalAccuracy(self.name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return self._fitting(y_true, y_pred).of_batch(y_true, y_pred)

    def _arrays(self, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
        y_true, y_pred = np.asarray(on_host(y_true)), np.asarray(on_host(y_pred))
        return self._fitting(y_true, y_pred)._arrays(y_true, y_pred)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return self._fitting(y_true, y_pred).values(y_true, y_pred)

    def takes_scores(self, outputs: int) -> bool:
        return outputs > 1


class TopKCategoricalAccuracy(Metric):
    """The share of samples whose largest target is among their k largest outputs."""

    direction = "max"
    has_kernels = False
    _settings: ClassVar[Settings] = {"k": integer(1)}

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        super().__init__(name)
        self.k = k

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return among_largest(y_true.argmax(-1), y_pred, self.k)

    def takes_scores(self, outputs: int) -> bool:
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """The share of samples whose label, an integer, is among their k largest outputs."""

    formula = "sparse_categorical_crossentropy"

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(k, name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return among_largest(y_true, y_pred, self.k)


def among_largest(labels: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Whether fewer than k outputs are larger than that of the label; labels that are no class never are."""
    known = (labels >= 0) & (labels < y.shape[-1])
    places = np.where(known, labels, 0).astype(np.int64)[..., None]
    chosen = np.take_along_axis(y, places, -1)
    return _are(known & ((y > chosen).sum(-1) < k) & np.isfinite(chosen[..., 0]))


def _are(truths: Any) -> np.ndarray:
    found: np.ndarray = np.asarray(truths, np.float64)
    return found
