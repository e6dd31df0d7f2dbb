"""Metrics of a batch."""

from __future__ import annotations

from numba_cnn import nearest
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def sparse_categorical_accuracy(logits: Array, labels: Array) -> Array:
    """The share of samples whose largest logit is the one of their label; the first largest counts.

    logits       (N, classes)             float32 or float64
    labels       (N,)                     integers, 0 <= label < classes
    returns      an array of shape (), between 0 and 1

    Raises as sparse_categorical_crossentropy does.
    """
    op = "sparse_categorical_accuracy"
    backend, (logits,) = arguments.arrays(op, logits=logits)
    labels = arguments.labels(op, backend, logits, labels)
    accuracy = backend.empty((), logits.dtype)
    backend.sparse_categorical_accuracy(logits, labels, accuracy)
    return accuracy
