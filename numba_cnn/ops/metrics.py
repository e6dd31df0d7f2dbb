"""Metrics of a batch."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def sparse_categorical_accuracy(logits: Array, labels: Array) -> Array:
    """The share of rows whose largest logit is the one of their label; the first largest counts.

    logits       (..., classes)           float32 or float64
    labels       (...)                    integers, 0 <= label < classes
    returns      an array of shape (), between 0 and 1

    Raises as sparse_categorical_crossentropy does.
    """
    op = "sparse_categorical_accuracy"
    backend, (logits,) = arguments.arrays(op, logits=logits)
    labels = arguments.labels(op, backend, logits, labels)
    accuracy = backend.empty((), logits.dtype)
    rows = arguments.rows(op, logits)
    backend.sparse_categorical_accuracy(logits.reshape(rows), labels, accuracy)
    return accuracy


@nearest.keywords
def categorical_accuracy(y: Array, targets: Array) -> Array:
    """The share of rows whose largest output has the largest target; the first largest counts.

    y, targets   (..., classes)           float32 or float64
    returns      an array of shape (), between 0 and 1

    Raises ValueError for shapes that disagree, TypeError for mixed dtypes or backends.
    """
    op = "categorical_accuracy"
    backend, (y, targets) = arguments.arrays(op, y=y, targets=targets)
    shapes.same(op, "targets", targets.shape, y.shape)
    rows = arguments.rows(op, y, "y")
    accuracy = backend.empty((), y.dtype)
    backend.categorical_accuracy(y.reshape(rows), targets.reshape(rows), accuracy)
    return accuracy


@nearest.keywords
def binary_accuracy(y: Array, targets: Array, threshold: float = 0.5) -> Array:
    """The share of outputs that lie above the threshold where the target is 1, and not where it is 0.

    y, targets   (..., C)                 float32 or float64
    threshold    a number
    returns      an array of shape (), between 0 and 1

    Raises ValueError for shapes that disagree, TypeError for mixed dtypes or backends.
    """
    op = "binary_accuracy"
    backend, (y, targets) = arguments.arrays(op, y=y, targets=targets)
    shapes.same(op, "targets", targets.shape, y.shape)
    rows = arguments.rows(op, y, "y")
    threshold = arguments.number(op, "threshold", threshold)
    accuracy = backend.empty((), y.dtype)
    backend.binary_accuracy(y.reshape(rows), targets.reshape(rows), threshold, accuracy)
    return accuracy
