"""Losses, each with its gradient."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def sparse_categorical_crossentropy(
    logits: Array, labels: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """Softmax and cross-entropy in one, on the logits: the mean loss and its gradient.

        loss = 1/N * sum over n of sample_weight[n] * (log(sum of exp(logits[n])) - logits[n, labels[n]])
        dlogits[n] = sample_weight[n] / N * (softmax(logits[n]) - onehot(labels[n]))

    The sum is divided by the batch size, not by the sum of the weights, as in Keras.

    logits          (N, classes)          float32 or float64
    labels          (N,)                  integers, 0 <= label < classes
    sample_weight   (N,)                  dtype of logits, or None for 1
    returns         loss, an array of shape (), and dlogits (N, classes)

    Raises ValueError for a label out of range or shapes that disagree, TypeError for labels that are no integers.
    """
    op = "sparse_categorical_crossentropy"
    backend, (logits, sample_weight) = arguments.arrays(
        op, "sample_weight", logits=logits, sample_weight=sample_weight
    )
    labels = arguments.labels(op, backend, logits, labels)
    if sample_weight is not None:
        shapes.same(op, "sample_weight", sample_weight.shape, labels.shape)
    loss, dlogits = backend.empty((), logits.dtype), backend.empty(logits.shape, logits.dtype)
    backend.sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits)
    return loss, dlogits
