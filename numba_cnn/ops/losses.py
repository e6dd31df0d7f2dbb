"""Losses, each with its gradient.

Each is a mean over rows: the sum of the rows' losses times their weights, divided by the number of rows.
"""

from __future__ import annotations

from typing import Any

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

    n counts the rows, which are all axes but the last. The sum is divided by their number, not by the sum of the
    weights, as in Keras.

    logits          (..., classes)        float32 or float64
    labels          (...)                 integers, 0 <= label < classes
    sample_weight   (...)                 dtype of logits, or None for 1
    returns         loss, an array of shape (), and dlogits (..., classes)

    Raises ValueError for a label out of range or shapes that disagree, TypeError for labels that are no integers.
    """
    return _sparse("sparse_categorical_crossentropy", "logits", logits, labels, sample_weight)


@nearest.keywords
def sparse_categorical_crossentropy_of_probabilities(
    probabilities: Array, labels: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """The same on probabilities, which are divided by their sum and clipped to 1e-7..1 - 1e-7 before, as in Keras.

        p = clip(probabilities / sum of probabilities)
        loss = -1/N * sum over n of sample_weight[n] * log(p[n, labels[n]])

    probabilities   (..., classes)        float32 or float64
    labels          (...)                 integers, 0 <= label < classes
    sample_weight   (...)                 dtype of probabilities, or None for 1
    returns         loss, an array of shape (), and dprobabilities (..., classes)

    Raises as sparse_categorical_crossentropy.
    """
    op = "sparse_categorical_crossentropy_of_probabilities"
    return _sparse(op, "probabilities", probabilities, labels, sample_weight)


@nearest.keywords
def categorical_crossentropy(
    logits: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """Softmax and cross-entropy with targets for each class, on the logits.

        loss = -1/N * sum over n of sample_weight[n] * sum over c of targets[n, c] * log_softmax(logits[n])[c]
        dlogits[n] = sample_weight[n] / N * (softmax(logits[n]) * sum of targets[n] - targets[n])

    logits, targets (..., classes)        float32 or float64; targets usually sum to 1
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dlogits (..., classes)

    Raises ValueError for shapes that disagree, TypeError for mixed dtypes or backends.
    """
    return _dense("categorical_crossentropy", "logits", logits, targets, sample_weight)


@nearest.keywords
def categorical_crossentropy_of_probabilities(
    probabilities: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """The same on probabilities, which are divided by their sum and clipped to 1e-7..1 - 1e-7 before, as in Keras.

        p = clip(probabilities / sum of probabilities)
        loss = -1/N * sum over n of sample_weight[n] * sum over c of targets[n, c] * log(p[n, c])

    probabilities, targets (..., classes) float32 or float64
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dprobabilities (..., classes); what is clipped has no gradient

    Raises as categorical_crossentropy.
    """
    op = "categorical_crossentropy_of_probabilities"
    return _dense(op, "probabilities", probabilities, targets, sample_weight)


@nearest.keywords
def binary_crossentropy(
    logits: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """Sigmoid and cross-entropy of each output, on the logits.

        loss = 1/(N C) * sum over n, c of sample_weight[n] * (max(x, 0) - x * t + log(1 + exp(-|x|)))
        dlogits = sample_weight / (N C) * (sigmoid(x) - t)

    logits, targets (..., C)              float32 or float64; targets between 0 and 1
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dlogits (..., C)

    Raises as categorical_crossentropy.
    """
    return _dense("binary_crossentropy", "logits", logits, targets, sample_weight)


@nearest.keywords
def binary_crossentropy_of_probabilities(
    probabilities: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """The same on probabilities, which are clipped to 1e-7..1 - 1e-7 before, as in Keras.

        loss = -1/(N C) * sum over n, c of sample_weight[n] * (t * log(p) + (1 - t) * log(1 - p))

    probabilities, targets (..., C)       float32 or float64; targets between 0 and 1
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dprobabilities (..., C); what is clipped has no gradient

    Raises as categorical_crossentropy.
    """
    op = "binary_crossentropy_of_probabilities"
    return _dense(op, "probabilities", probabilities, targets, sample_weight)


@nearest.keywords
def mean_squared_error(
    y: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """The mean of squared distances.

        loss = 1/(N C) * sum over n, c of sample_weight[n] * (y - targets)^2

    y, targets      (..., C)              float32 or float64
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dy (..., C)

    Raises as categorical_crossentropy.
    """
    return _dense("mean_squared_error", "y", y, targets, sample_weight)


@nearest.keywords
def mean_absolute_error(
    y: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """The mean of distances; its gradient is 0 where y is its target.

        loss = 1/(N C) * sum over n, c of sample_weight[n] * |y - targets|

    y, targets      (..., C)              float32 or float64
    sample_weight   (...)                 same dtype, or None for 1
    returns         loss, an array of shape (), and dy (..., C)

    Raises as categorical_crossentropy.
    """
    return _dense("mean_absolute_error", "y", y, targets, sample_weight)


def _sparse(
    op: str, name: str, y: Array, labels: Array, sample_weight: Array | None
) -> tuple[Array, Array]:
    backend, (y, sample_weight) = arguments.arrays(
        op, "sample_weight", **{name: y, "sample_weight": sample_weight}
    )
    labels = arguments.labels(op, backend, y, labels)
    return _run(op, backend, y, labels, arguments.weights(op, sample_weight, y))


def _dense(
    op: str, name: str, y: Array, targets: Array, sample_weight: Array | None
) -> tuple[Array, Array]:
    given = {name: y, "targets": targets, "sample_weight": sample_weight}
    backend, (y, targets, sample_weight) = arguments.arrays(op, "sample_weight", **given)
    shapes.same(op, "targets", targets.shape, y.shape)
    targets = targets.reshape(arguments.rows(op, y, name))
    return _run(op, backend, y, targets, arguments.weights(op, sample_weight, y))


def _run(
    op: str, backend: Any, y: Array, targets: Array, weights: Array | None
) -> tuple[Array, Array]:
    rows = arguments.rows(op, y)
    loss, dy = backend.empty((), y.dtype), backend.empty(y.shape, y.dtype)
    getattr(backend, op)(y.reshape(rows), targets, weights, loss, dy.reshape(rows))
    return loss, dy
