"""What a model shall give: labels, and how much each sample counts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from numba_cnn import nearest, settings, shapes
from numba_cnn.layers.layer import InputShape
from numba_cnn.losses import Loss
from numba_cnn.models.data import Dataset, array, finite


def targets(op: str, y: Any, N: int, output_shape: InputShape | None, loss: Loss) -> np.ndarray:
    """What the model shall give, as the loss takes it: labels as int32, or numbers of the outputs' shape as float32."""
    if output_shape is None or None in output_shape[1:]:
        raise ValueError(f"{op}: build the model first. Received: output shape {output_shape}")
    if y is None:
        raise ValueError(f"{op}: y must be what the model shall give. Received: None")
    if loss.takes_any:
        return as_given(op, y, N)
    if loss.has_classes:
        return labels(op, y, N, output_shape, loss.ignore_class)
    return numbers(op, y, N, output_shape)


def as_given(op: str, y: Any, N: int) -> np.ndarray:
    """Targets of any shape, integers as int32 and numbers as float32."""
    y = array(op, "y", y)
    if y.dtype.kind not in "fiub" or not y.ndim or not finite(y):
        raise ValueError(f"{op}: y must be finite real numbers. Received: dtype {y.dtype}")
    if len(y) != N:
        raise ValueError(
            f"{op}: x and y must have the same length. Received: {N} samples, {len(y)} targets"
        )
    return np.ascontiguousarray(y, np.float32 if y.dtype.kind == "f" else np.int32)


def check_scores(op: str, last: Any, loss: Loss) -> None:
    """Warn where a loss expects scores and the model ends in a layer that makes probabilities of them."""
    if getattr(loss, "from_logits", False) and last is not None:
        warnings.warn(
            f"{op}: from_logits=True, but {last.name} ends in a {last.last_activation.name}; the loss takes the logits "
            "before it",
            stacklevel=4,
        )


def numbers(op: str, y: Any, N: int, output_shape: InputShape) -> np.ndarray:
    """Targets as float32 of the outputs' shape; (N,) does for (N, 1)."""
    y = array(op, "y", y)
    if y.ndim == len(output_shape) - 1 and output_shape[-1] == 1:
        y = y[..., None]
    if len(y) != N:
        raise ValueError(
            f"{op}: x and y must have the same length. Received: {N} samples, {len(y)} targets"
        )
    if y.shape[1:] != output_shape[1:]:
        classes = output_shape[-1] if y.ndim == len(output_shape) - 1 or y.shape[-1] == 1 else None
        how = (
            f"; utils.to_categorical(y, {classes}) makes one-hot rows of labels" if classes else ""
        )
        raise ValueError(
            f"{op}: the loss expects y of the outputs' shape {shapes.written('N', *output_shape[1:])}{how}. "
            f"Received: y of shape {y.shape}"
        )
    if y.dtype.kind not in "fiub":
        raise ValueError(f"{op}: y must be finite real numbers. Received: dtype {y.dtype}")
    if not finite(y):
        sample = np.isfinite(y.reshape(len(y), -1)).all(1).argmin()
        wrong = y[sample][~np.isfinite(y[sample])][0]
        raise ValueError(f"{op}: y must be finite. Received: {wrong} in sample {sample}")
    return np.ascontiguousarray(y, np.float32)


def labels(
    op: str, y: Any, N: int, output_shape: InputShape, ignored: int | None = None
) -> np.ndarray:
    """The labels as int32 (N,), or (N, ...) where the outputs have more axes, each one of the classes, or the one
    that is ignored; a last axis of 1 and whole floats are fine."""
    y, classes = array(op, "y", y), output_shape[-1]
    assert classes is not None
    if y.ndim == len(output_shape) and y.shape[-1] == 1:
        y = y[..., 0]
    if y.ndim != len(output_shape) - 1 or y.shape[1:] != output_shape[1:-1]:
        raise ValueError(
            f"{op}: y must be integers of shape {shapes.written('N', *output_shape[1:-1])}, one class per sample "
            f"(argmax(-1) of one-hot rows). Received: y of shape {y.shape}"
        )
    if len(y) != N:
        raise ValueError(
            f"{op}: x and y must have the same length. Received: {N} samples, {len(y)} labels"
        )
    if y.dtype.kind not in "fiub":
        raise TypeError(f"{op}: y must be integers. Received: dtype {y.dtype}")
    counted = y if ignored is None else np.where(y == ignored, 0, y)
    low, high = counted.min(), counted.max()
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


def weights(
    op: str, y: np.ndarray, sample_weight: Any, output_shape: InputShape | None
) -> np.ndarray | None:
    """The weight of each row of the outputs as float32, or None; (N,), or one for each pixel, (N, H, W)."""
    if sample_weight is None:
        return None
    given = array(op, "sample_weight", sample_weight)
    rows = y.shape[: len(output_shape or ()) - 1]
    fits = given.ndim > 0 and given.shape == rows[: given.ndim]
    if given.dtype.kind not in "fiub" or not fits or not finite(given):
        raise ValueError(
            f"{op}: sample_weight must be finite numbers of shape {y.shape[:1]}. "
            f"Received: {given.dtype} of shape {given.shape}"
        )
    given = given.astype(np.float32).reshape(given.shape + (1,) * (len(rows) - given.ndim))
    return np.ascontiguousarray(np.broadcast_to(given, rows))


def weighted(op: str, data: Dataset, class_weight: Any, output_shape: Any) -> Dataset:
    """The data with the weight of its class for each sample, 1 where the class is not named."""
    if class_weight is None:
        return data
    if len(data.labels) > 1:
        raise ValueError(
            "`class_weight` is only supported for Models with a single output. "
            f"Received: {len(data.labels)} outputs"
        )
    labels, sample_weight = data.labels[0], data.sample_weight[0]
    if sample_weight is not None:
        raise ValueError(
            "You cannot `class_weight` and `sample_weight` at the same time. Received: both"
        )
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"{op}: class_weight must map classes to weights. Received: {nearest.shown(class_weight)}"
        )
    class_of, classes = _classes(op, labels, output_shape[-1])
    weights = np.ones(len(labels), np.float32)
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
        weights[class_of == named] = number
    return data._replace(sample_weight=(weights,))


def _classes(op: str, labels: np.ndarray, outputs: int) -> tuple[np.ndarray, int]:
    """The class of each sample, and how many there are."""
    if labels.ndim > 2:
        raise ValueError(
            f"{op}: class_weight does not go with targets for each pixel; give sample_weight. "
            f"Received: targets of shape {labels.shape}"
        )
    if labels.ndim == 1:
        return labels, outputs
    if outputs > 1:
        return labels.argmax(-1), outputs
    return np.rint(labels[:, 0]), 2  # one number, as of a sigmoid: 0 or 1
