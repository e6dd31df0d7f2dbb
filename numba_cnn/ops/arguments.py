"""What the functions of this package accept.

Each check gives back what kernels take, or raises an error that names the function, `op`, and says what
it received.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import backends, shapes
from numba_cnn.backends.contract import argmax_dtype as argmax_dtype
from numba_cnn.shapes import Shape

Array = Any  # a NumPy array or a device array; both have shape and dtype

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def class_labels(op: str, labels: Array, classes: int) -> Array:
    """Integer labels as the kernels take them; on the host as int32, known to be classes.

    Raises ValueError for a label that is not in 0..classes - 1, TypeError for labels that are no integers.
    """
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{op}: labels must be integers. Received: {labels.dtype}")
    if not isinstance(labels, np.ndarray):
        return labels
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise ValueError(
            f"{op}: labels must lie in 0..{classes - 1} for {classes} classes. Received: label {wrong}"
        )
    return labels.astype(np.int32, copy=False)


def arrays(op: str, *optional: str, **arrays: Array | None) -> tuple[Any, list[Array | None]]:
    """The backend that holds all the arrays, and the arrays as its kernels take them; the optional may be None."""
    given(op, *optional, **arrays)
    backend = backends.of(op, **arrays)
    taken = {name: None if a is None else backend.asarray(a) for name, a in arrays.items()}
    dtypes = {name: array.dtype for name, array in taken.items() if array is not None}
    if len(set(dtypes.values())) > 1 or not set(dtypes.values()) <= set(_FLOATS):
        received = ", ".join(f"{name} {dtype}" for name, dtype in dtypes.items())
        raise TypeError(
            f"{op}: the arrays must all be float32 or all float64. Received: {received}"
        )
    return backend, list(taken.values())


def given(op: str, *optional: str, **arrays: Array | None) -> None:
    """Raise a TypeError for the first array that is None, but for the optional ones."""
    for name, array in arrays.items():
        if array is None and name not in optional:
            raise TypeError(f"{op}: {name} must be an array. Received: None")


def argmax(op: str, backend: Any, argmax: Array, g: shapes.Pool2D, dy: Array) -> Array:
    """The argmax as kernels take it, known to belong to the pooling and to live where dy does."""
    given(op, argmax=argmax)
    if backends.of(op, argmax=argmax) is not backend:
        backends.of(op, dy=dy, argmax=argmax)  # says which is where
    argmax = backend.asarray(argmax)
    shapes.same(op, "argmax", argmax.shape, g.y)
    if argmax.dtype != argmax_dtype(g):
        raise TypeError(
            f"{op}: argmax must be {argmax_dtype(g)}, as max pooling returns it. Received: {argmax.dtype}"
        )
    return argmax


def bias(op: str, bias: Array | None, F: int) -> None:
    if bias is not None:
        shapes.same(op, "bias", bias.shape, (F,))


def has_relu(op: str, activation: str | None) -> bool:
    if activation is None:
        return False
    if not isinstance(activation, str) or activation != "relu":
        raise ValueError(f'{op}: activation must be None or "relu". Received: {activation!r:.80}')
    return True


def gate(op: str, activation: str | None, y: Array | None, shape: Shape) -> Array | None:
    """The output that gates dy, where the forward pass had a ReLU."""
    if not has_relu(op, activation):
        return None
    if y is None:
        raise ValueError(
            f'{op}: with activation="relu" pass y=, the output of the forward pass. Received: y None'
        )
    shapes.same(op, "y", y.shape, shape)
    return y


def needs_dx(op: str, need_dx: bool) -> bool:
    if not isinstance(need_dx, bool):
        raise ValueError(f"{op}: need_dx must be True or False. Received: {need_dx!r:.80}")
    return need_dx


def labels(op: str, backend: Any, logits: Array, labels: Array) -> Array:
    """The labels as int32, known to be one per row of the logits and, on the host, to be classes."""
    shapes.rank(op, "logits", logits.shape, 2, "(N, classes)")
    shapes.batch(op, logits.shape)
    given(op, labels=labels)
    if backends.of(op, labels=labels) is not backend:
        backends.of(op, logits=logits, labels=labels)
    labels = backend.asarray(labels)
    shapes.same(op, "labels", labels.shape, logits.shape[:1])
    return class_labels(op, labels, logits.shape[1])
