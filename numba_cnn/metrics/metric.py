"""What a metric is: a mean over batches, of a number that each gives, or of values of its samples."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest
from numba_cnn.losses.by_formula import broadcast
from numba_cnn.losses.functions import arrays
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, text


class Averaged(Checked):
    """The mean of the batches' values, each counted as often as its batch has samples.

    A value is an array of shape () where it was computed. It is read when the mean is asked for, so
    that a step on a device need not wait for it.
    """

    direction: ClassVar[str] = "min"  # which way it improves

    _settings: ClassVar[Settings] = {"name": text}
    _unexplained: ClassVar[tuple[str, ...]] = ("add", "of_batch", "take")
    _UNREAD_LIMIT = 1024  # values; more are read on the way, to bound the memory they take

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset_state()

    def reset_state(self) -> None:
        self._sum, self._count = 0.0, 0.0
        self._unread: list[tuple[Array, int]] = []

    def add(self, value: Array, count: int) -> None:
        """Count the value of one batch of `count` samples; a loss of the user's may give a plain number."""
        value = np.asarray(value) if isinstance(value, float | np.generic) else value
        self._unread.append((value, count))
        if len(self._unread) >= self._UNREAD_LIMIT:
            self._read()

    def result(self) -> Any:
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

    def _count_values(self, values: Any, sample_weight: Any) -> None:
        """Count values by weight, each sample's own or as its sample weighs."""
        self._read()
        found = np.asarray(values, np.float64)
        weights = np.ones_like(found)
        if sample_weight is not None:
            weights = broadcast(self.name, numbers(self, "sample_weight", sample_weight), found)
        self._sum += float((found * weights).sum())
        self._count += float(weights.sum())


class Metric(Averaged):
    """The mean over the samples of a number that each batch gives.

    In a model a batch gives it by kernels, of_batch(), where there are any; by itself, and where samples have weights,
    a metric computes with NumPy: update_state(), result() and reset_state().
    """

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}
    has_kernels: bool = True  # whether of_batch() gives the number
    weighted: bool = False  # whether compile() had it among the weighted_metrics
    formula: ClassVar[str] = "mean_squared_error"  # which says what shape targets have

    def __init_subclass__(cls, **settings: Any) -> None:
        """A class of the user's own that does not say of_batch() computes with NumPy."""
        super().__init_subclass__(**settings)
        if cls.of_batch is Metric.of_batch:
            cls.has_kernels = False

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        """The value of one batch, an array of shape () where it was computed."""
        raise NotImplementedError

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The number of each sample, on the host."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count targets and outputs, and how much each sample weighs."""
        t, y = self._arrays(y_true, y_pred)
        with np.errstate(all="ignore"):
            self._count_values(self.values(t, y), sample_weight)

    def _arrays(self, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
        """Targets and outputs on the host, known to fit each other."""
        return arrays(self.formula, on_host(y_true), on_host(y_pred), self.name)

    def take(self, value: Array, labels: Array, sample_weight: Array | None) -> None:
        """Count what a batch gave: its number, or, where NumPy computes, its outputs."""
        if self.has_kernels and not self.weighted:
            self.add(value, labels.shape[0])
        else:
            self.update_state(labels, value, sample_weight if self.weighted else None)

    def takes_scores(self, outputs: int) -> bool:
        """Whether scores before a softmax or a sigmoid do as well as that many outputs: their order counts alone."""
        return False

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def on_host(array: Any) -> Any:
    """A device's array as NumPy's; anything else as it is."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__cuda_array_interface__"):
        return array
    return backends.of("metric", array=array).to_numpy(array)


def numbers(metric: Averaged, name: str, value: Any) -> np.ndarray:
    """An array of finite real numbers as float64."""
    try:
        found: np.ndarray = np.asarray(on_host(value))
    except (TypeError, ValueError):
        found = np.empty(0, object)
    if found.dtype.kind not in "fiub" or not np.isfinite(found).all():
        raise ValueError(
            f"{metric.name}: {name} must be finite real numbers. Received: {nearest.shown(value)}"
        )
    return found.astype(np.float64)


class Mean(Averaged):
    """The mean of numbers, by weight."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}

    def __init__(self, name: str = "mean") -> None:
        super().__init__(name)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        self._count_values(numbers(self, "values", values), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class Sum(Mean):
    """The sum of numbers, by weight."""

    def __init__(self, name: str = "sum") -> None:
        super().__init__(name)

    def result(self) -> float:
        self._read()
        return self._sum
