"""Metrics: what is reported of an epoch, as means over its samples."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest, ops, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, text

__all__ = ["Mean", "SparseCategoricalAccuracy", "get"]


class Mean(Checked):
    """The mean of the batches' values, each counted as often as its batch has samples.

    A value is an array of shape () where it was computed. It is read when the mean is asked for, so
    that a step on a device need not wait for it.
    """

    direction: ClassVar[str] = "min"  # which way it improves

    _settings: ClassVar[Settings] = {"name": text}
    _unexplained: ClassVar[tuple[str, ...]] = ("add", "of_batch")
    _UNREAD_LIMIT = 1024  # values; more are read on the way, to bound the memory they take

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset_state()

    def reset_state(self) -> None:
        self._sum, self._count = 0.0, 0
        self._unread: list[tuple[Array, int]] = []

    def add(self, value: Array, count: int) -> None:
        """Count the value of one batch of `count` samples; a loss of the user's may give a plain number."""
        value = np.asarray(value) if isinstance(value, float | np.generic) else value
        self._unread.append((value, count))
        if len(self._unread) >= self._UNREAD_LIMIT:
            self._read()

    def result(self) -> float:
        """The mean so far; 0 before the first batch, as in Keras."""
        self._read()
        return self._sum / self._count if self._count else 0.0

    def __getstate__(self) -> dict[str, Any]:
        """The mean so far as numbers: what is not read yet may lie on a device."""
        self._read()
        return {**vars(self), "_unread": []}

    def _read(self) -> None:
        if self._unread:
            backend = backends.of(self.name, value=self._unread[0][0])
            total, samples = self._sum, self._count
            for value, count in self._unread:
                total += float(backend.to_numpy(value)) * count
                samples += count
            self._sum, self._count = total, samples
            self._unread.clear()


class SparseCategoricalAccuracy(Mean):
    """The share of samples whose largest output is that of their label."""

    direction = "max"
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def of_batch(self, logits: Array, labels: Array) -> Array:
        """The value of one batch, where it was computed."""
        return ops.sparse_categorical_accuracy(logits, labels)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


_NAMES = dict.fromkeys(
    ("accuracy", "acc", "sparse_categorical_accuracy"), SparseCategoricalAccuracy
)


@nearest.keywords
def get(identifier: Any) -> SparseCategoricalAccuracy:
    """A metric by name ("accuracy", its name then), class, object or Keras configuration."""
    metric: SparseCategoricalAccuracy = registry.get("metric", identifier, _NAMES)
    if isinstance(identifier, str) and identifier in _NAMES:
        metric.name = identifier
    return metric


__getattr__ = nearest.attributes(__name__, __all__)
