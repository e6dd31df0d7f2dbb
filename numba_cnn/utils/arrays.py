"""Labels and features as models take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest, shapes


@nearest.keywords
def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of labels: integers of any shape, a last axis of 1 left out, to (..., num_classes) of float64.

    num_classes    one more than the largest label unless given

    Raises ValueError for labels that are no integers from 0 to num_classes - 1.

    >>> nc.utils.to_categorical([0, 2, 1]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    labels: np.ndarray = np.asarray(x)
    if labels.dtype.kind not in "iufb" or labels.size == 0:
        raise ValueError(
            f"to_categorical: x must be labels, integers from 0. Received: {nearest.shown(x)}"
        )
    whole = labels.astype(np.int64)
    if labels.dtype.kind == "f" and not np.array_equal(whole, labels):
        raise ValueError(
            f"to_categorical: labels must be whole numbers. Received: {labels[whole != labels][0]}"
        )
    if whole.ndim > 1 and whole.shape[-1] == 1:
        whole = whole[..., 0]
    most = int(whole.max()) + 1
    classes = (
        most if num_classes is None else shapes.count("to_categorical", "num_classes", num_classes)
    )
    if whole.min() < 0 or most > classes:
        wrong = whole.min() if whole.min() < 0 else most - 1
        raise ValueError(
            f"to_categorical: labels must lie in 0..{classes - 1}. Received: label {wrong}"
        )
    rows: np.ndarray = np.zeros((*whole.shape, classes))
    np.put_along_axis(rows, whole[..., None], 1, axis=-1)
    return rows


@nearest.keywords
def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """x over its norm along an axis; where that is 0, x itself."""
    values: np.ndarray = np.asarray(x)
    if values.dtype.kind not in "iufb":
        raise ValueError(f"normalize: x must be real numbers. Received: {nearest.shown(x)}")
    norms = np.atleast_1d(np.linalg.norm(values, order, axis))
    norms[norms == 0] = 1
    scaled: np.ndarray = values / np.expand_dims(norms, axis)
    return scaled
