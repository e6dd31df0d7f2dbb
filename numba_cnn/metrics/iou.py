"""Intersections over unions of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest
from numba_cnn.losses.by_formula import broadcast
from numba_cnn.metrics.metric import Metric, numbers
from numba_cnn.settings import Settings, flag, integer, number, optional

_EPSILON = 1e-7


def _classes(owner: str, name: str, value: Any) -> list[int]:
    """A list of classes."""
    given = list(value) if isinstance(value, list | tuple | range) else []
    if not given or not all(
        isinstance(one, int | np.integer) and not isinstance(one, bool) and one >= 0
        for one in given
    ):
        raise ValueError(
            f"{owner}: {name} must be a list of classes, integers from 0. Received: {nearest.shown(value)}"
        )
    return [int(one) for one in given]


class IoU(Metric):
    """The mean over some classes of what targets and outputs share of that class, over what either has of it.

    sparse_y_true, sparse_y_pred    whether targets, or outputs, are classes; else the largest along `axis` is
    ignore_class                    targets that do not count
    """

    has_kernels = False
    direction: ClassVar[str] = "max"
    _settings: ClassVar[Settings] = {
        "num_classes": integer(1),
        "target_class_ids": _classes,
        "ignore_class": optional(integer(-(2**31))),
        "sparse_y_true": flag,
        "sparse_y_pred": flag,
        "axis": integer(-8),
    }
    _config: ClassVar[tuple[str, ...]] = (
        "num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis",
    )  # fmt: skip

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        self.num_classes, self.target_class_ids = num_classes, target_class_ids
        if max(self.target_class_ids) >= self.num_classes:
            raise ValueError(
                f"{type(self).__name__}: target_class_ids must be below num_classes={num_classes}. "
                f"Received: {list(target_class_ids)}"
            )
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        super().__init__("io_u" if name is None else name)

    def reset_state(self) -> None:
        super().reset_state()
        self._matrix = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y = (
            numbers(self, name, array) for name, array in (("y_true", y_true), ("y_pred", y_pred))
        )
        t = t if self.sparse_y_true else t.argmax(self.axis)
        y = self._chosen(y)
        if t.size != y.size:
            raise ValueError(
                f"{self.name}: y_true must have as many classes as y_pred. Received: {t.shape}, {y.shape}"
            )
        weights = np.ones(t.shape)
        if sample_weight is not None:
            weights = broadcast(self.name, numbers(self, "sample_weight", sample_weight), weights)
        t, y = t.reshape(-1).astype(np.int64), y.reshape(-1).astype(np.int64)
        kept = (t >= 0) & (t < self.num_classes) & (y >= 0) & (y < self.num_classes)
        if self.ignore_class is not None:
            kept &= t != self.ignore_class
        counts = weights.reshape(-1).astype(np.int64)  # Keras counts in integers
        np.add.at(self._matrix, (t[kept], y[kept]), counts[kept])

    def _chosen(self, y: np.ndarray) -> np.ndarray:
        return y if self.sparse_y_pred else np.asarray(y.argmax(self.axis))

    def result(self) -> float:
        shared = self._matrix.diagonal()
        either = self._matrix.sum(0) + self._matrix.sum(1) - shared
        shared, either = shared[self.target_class_ids], either[self.target_class_ids]
        there = either > 0
        return float((shared[there] / (either[there] + _EPSILON)).sum() / (there.sum() + _EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self._config}}


class BinaryIoU(IoU):
    """IoU of yes and no: outputs are yes from the threshold on."""

    _settings: ClassVar[Settings] = {"threshold": number(0, 1)}
    _config: ClassVar[tuple[str, ...]] = "target_class_ids", "threshold"

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, "binary_io_u" if name is None else name)
        self.threshold = threshold

    def _chosen(self, y: np.ndarray) -> np.ndarray:
        return y.astype(np.float32) >= np.float32(self.threshold)


class MeanIoU(IoU):
    """The mean of the IoU of all classes."""

    _config: ClassVar[tuple[str, ...]] = (
        "num_classes",
        "ignore_class",
        "sparse_y_true",
        "sparse_y_pred",
        "axis",
    )

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(integer(1)("MeanIoU", "num_classes", num_classes))
        super().__init__(
            num_classes,
            list(classes),
            "mean_io_u" if name is None else name,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """IoU of one-hot targets."""

    _config: ClassVar[tuple[str, ...]] = (
        "num_classes",
        "target_class_ids",
        "ignore_class",
        "sparse_y_pred",
        "axis",
    )

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        name = "one_hot_io_u" if name is None else name
        super().__init__(
            num_classes, target_class_ids, name, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """MeanIoU of one-hot targets."""

    _config: ClassVar[tuple[str, ...]] = "num_classes", "ignore_class", "sparse_y_pred", "axis"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        name = "one_hot_mean_io_u" if name is None else name
        super().__init__(num_classes, name, ignore_class, False, sparse_y_pred, axis)
