"""Accuracies as functions: the values of samples, which nothing is the mean of yet; metrics= takes them too."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.losses.functions import arrays
from numba_cnn.metrics import accuracies
from numba_cnn.metrics.metric import Metric


@nearest.keywords
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """1 for each output that lies on the same side of the threshold as its target, 0 or 1; else 0."""
    limit = accuracies.BinaryAccuracy(threshold=threshold).threshold
    t, y = arrays("binary_accuracy", y_true, y_pred)
    same: np.ndarray = (y > y.dtype.type(limit)) == t
    return same.astype(np.float32)


@nearest.keywords
def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """1 for each sample whose largest output stands where its largest target does; else 0."""
    return _values(accuracies.CategoricalAccuracy(), arrays("categorical_accuracy", y_true, y_pred))


@nearest.keywords
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """1 for each sample whose largest output is that of its label, an integer; else 0."""
    given = _labels("sparse_categorical_accuracy", y_true, y_pred)
    return _values(accuracies.SparseCategoricalAccuracy(), given)


@nearest.keywords
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """1 for each sample that has its largest target's output among its k largest; else 0."""
    metric = accuracies.TopKCategoricalAccuracy(k=k)
    return _values(metric, arrays("top_k_categorical_accuracy", y_true, y_pred))


@nearest.keywords
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """1 for each sample that has its label's output among its k largest; else 0."""
    metric = accuracies.SparseTopKCategoricalAccuracy(k=k)
    return _values(metric, _labels("sparse_top_k_categorical_accuracy", y_true, y_pred))


def _labels(op: str, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    return arrays("sparse_categorical_crossentropy", y_true, y_pred, op)


def _values(metric: Metric, given: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return metric.values(*given).astype(np.float32)


ACCURACIES: dict[Any, type[Metric]] = {
    binary_accuracy: accuracies.BinaryAccuracy,
    categorical_accuracy: accuracies.CategoricalAccuracy,
    sparse_categorical_accuracy: accuracies.SparseCategoricalAccuracy,
    sparse_top_k_categorical_accuracy: accuracies.SparseTopKCategoricalAccuracy,
    top_k_categorical_accuracy: accuracies.TopKCategoricalAccuracy,
}
