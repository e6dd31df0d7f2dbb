"""What a model shall give: labels, and how much each sample counts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numba_cnn import nearest, settings, shapes
from numba_cnn.layers import Layer
from numba_cnn.models.data import Dataset, array, finite


def classes(op: str, layers: Sequence[Layer], from_logits: bool) -> int:
    """The number of classes of a stack of layers that is known to fit a loss over the classes."""
    *inner, last = layers
    shape = last.output_shape
    if shape is None or len(shape) != 2 or shape[1] is None:
        raise ValueError(
            f"{op}: the last layer must give one row of class scores per sample, as Dense does. "
            f"Received: output shape {shape}"
        )
    for layer in inner:
        if layer.softmax:
            raise ValueError(
                f"{op}: only the last layer of a model that is trained may end in a softmax. "
                f"Received: {layer.name}"
            )
    if not last.softmax and not from_logits:
        raise ValueError(
            f'{op}: the loss expects probabilities; give the last layer activation="softmax", or '
            "the loss "
            f"from_logits=True. Received: {last.name} without a softmax"
        )
    if last.softmax and from_logits:
        warnings.warn(
            f"{op}: from_logits=True, but {last.name} ends in a softmax; the loss takes the logits "
            "before it",
            stacklevel=4,
        )
    return shape[1]


def labels(op: str, y: Any, N: int, classes: int) -> np.ndarray:
    """The labels as int32 (N,), each one of the classes; (N, 1) and whole floats are fine."""
    y = array(op, "y", y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(
            f"{op}: y must be integers of shape (N,), one class per sample (argmax(-1) of one-hot "
            "rows). "
            f"Received: y of shape {y.shape}"
        )
    if len(y) != N:
        raise ValueError(
            f"{op}: x and y must have the same length. Received: {N} samples, {len(y)} labels"
        )
    if y.dtype.kind not in "fiub":
        raise TypeError(f"{op}: y must be integers. Received: dtype {y.dtype}")
    low, high = y.min(), y.max()
    if not (low >= 0 and high < classes):  # NaN fails too
        wrong = high if low >= 0 else low
        raise ValueError(
            f"{op}: labels must lie in 0..{classes - 1}, since the model has {classes} outputs. "
            f"Received: label {wrong}"
        )
    whole: np.ndarray = y.astype(np.int32)
    if y.dtype.kind == "f" and not np.array_equal(whole, y):
        raise ValueError(f"{op}: labels must be whole numbers. Received: label {y[whole != y][0]}")
    return whole


def weights(op: str, y: np.ndarray, sample_weight: Any) -> np.ndarray | None:
    """The weight of each sample as float32, or None."""
    if sample_weight is None:
        return None
    given = array(op, "sample_weight", sample_weight)
    if given.dtype.kind not in "fiub" or given.shape != y.shape or not finite(given):
        raise ValueError(
            f"{op}: sample_weight must be finite numbers of shape {y.shape}. "
            f"Received: {given.dtype} of shape {given.shape}"
        )
    return given.astype(np.float32)


def weighted(op: str, data: Dataset, class_weight: Any, classes: int) -> Dataset:
    """The data with the weight of its class for each sample, 1 where the class is not named."""
    if class_weight is None:
        return data
    if data.sample_weight is not None:
        raise ValueError(
            "You cannot `class_weight` and `sample_weight` at the same time. Received: both"
        )
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"{op}: class_weight must map classes to weights. Received: {nearest.shown(class_weight)}"
        )
    table = np.ones(classes, np.float32)
    for label, weight in class_weight.items():
        named = shapes.count(op, "a class in class_weight", label, 0)
        if named >= classes:
            raise ValueError(
                f"{op}: a class in class_weight must lie in 0..{classes - 1}. Received: {named}"
            )
        number = settings.real(weight)
        if number is None:
            raise ValueError(
                f"{op}: class_weight must hold finite numbers. "
                f"Received: {nearest.shown(weight)} for class {named}"
            )
        table[named] = number
    return data._replace(sample_weight=table[data.labels])
