"""From the user's arrays to batches: checks, splitting, shuffling, conversion to float32."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import shapes
from numba_cnn.layers import Layer
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array

_LARGEST = np.float64(np.finfo(np.float32).max)
_GATHERED = np.float32, np.float64, np.uint8, np.int32, np.int64  # what kernels make batches of


class Dataset(NamedTuple):
    """Checked arrays on the host: samples, labels (N,) int32, weights (N,) float32."""

    x: np.ndarray
    labels: np.ndarray | None = None
    sample_weight: np.ndarray | None = None

    def take(self, part: slice) -> Dataset:
        return Dataset(*(None if a is None else a[part] for a in self))  # type: ignore[arg-type]


class Batch(NamedTuple):
    """The same for one batch, where the model lives."""

    x: Array
    labels: Array | None
    sample_weight: Array | None


class Batches:
    """A dataset in batches of finite numbers on a backend; with a generator, in a new order each time.

    A batch that must be gathered or converted is made while the one before is in use, if the backend can. It is valid
    until the next one is asked for: two buffers take turns.
    """

    def __init__(
        self,
        op: str,
        data: Dataset,
        batch_size: int,
        backend: Any,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.op, self.data, self.batch_size = op, data, batch_size
        self.backend, self.generator = backend, generator
        x = data.x
        self._as_it_is = x.dtype == np.float32 and x.flags.c_contiguous
        in_memory = type(x) is np.ndarray and x.flags.carray and x.dtype in _GATHERED
        self._ahead = in_memory and backend.ABILITIES.prefetches
        size, *sample = min(batch_size, len(x)), *x.shape[1:]
        self._buffers = [
            (np.empty((size, *sample), np.float32), np.empty(size, np.bool_))
            for _ in range(min(len(self), 2))
        ]

    def __len__(self) -> int:
        return math.ceil(len(self.data.x) / self.batch_size)

    def check(self) -> None:
        """Look at every sample now, where one that is not finite would come up too late."""
        if self.data.x.dtype.kind != "f":
            return
        for part in self._parts():
            self._check(part, _finite(self.data.x[part]))

    def __iter__(self) -> Iterator[Batch]:
        x, parts = self.data.x, self._parts()
        if self.generator is None and self._as_it_is:
            for part in parts:
                yield self._batch(x[part], part, _finite(x[part]))
            return
        order = np.arange(len(x)) if self.generator is None else self.generator.permutation(len(x))
        for k, part in enumerate(parts):
            rows = order[part]
            images, finite = self._buffer(k, len(rows))
            if not self._ahead:
                self._copy(rows, images)
                yield self._batch(images, rows, _finite(images))
                continue
            self.backend.finish_deferred()  # this batch, or what an epoch that was broken off left
            if k == 0:
                self.backend.gather(x, rows, images, finite)
            batch = self._batch(images, rows, finite)
            if k + 1 < len(parts):
                following = order[parts[k + 1]]
                self.backend.gather_async(x, following, *self._buffer(k + 1, len(following)))
            yield batch

    def _parts(self) -> list[slice]:
        N, size = len(self.data.x), self.batch_size
        return [slice(start, min(start + size, N)) for start in range(0, N, size)]

    def _buffer(self, k: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Where batch k goes: its samples, and whether each is finite."""
        images, finite = self._buffers[k % 2]
        return images[:size], finite[:size]

    def _batch(self, images: np.ndarray, rows: slice | np.ndarray, finite: np.ndarray) -> Batch:
        self._check(rows, finite)
        _, labels, sample_weight = self.data
        asarray = self.backend.asarray
        return Batch(
            asarray(images),
            None if labels is None else asarray(labels[rows]),
            None if sample_weight is None else asarray(sample_weight[rows]),
        )

    def _check(self, rows: slice | np.ndarray, finite: np.ndarray) -> None:
        if finite.all():
            return
        sample = np.arange(len(self.data.x))[rows][finite.argmin()]
        values = np.ravel(self.data.x[sample])
        value = values[~(np.abs(values) <= _LARGEST)][0]
        raise ValueError(
            f"{self.op}: x must be finite, as float32. Received: {value} in sample {sample}"
        )

    def _copy(self, rows: np.ndarray, images: np.ndarray) -> None:
        if self._as_it_is:
            # Any other mode copies once more.
            np.take(self.data.x, rows, axis=0, out=images, mode="clip")
        else:
            with np.errstate(over="ignore"):
                images[...] = self.data.x[rows]


def inputs(op: str, x: Any, input_shape: InputShape | None) -> np.ndarray:
    """The samples as a NumPy array of real numbers that fits the model, dtype unchanged.

    input_shape is that of the model, (None, ...), or None for a model that takes its shape from x.
    """
    samples: np.ndarray = np.asarray(x)
    if samples.dtype.kind not in "fiub":
        raise TypeError(
            f"{op}: x must be an array of real numbers. Received: dtype {samples.dtype}"
        )
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"{op}: x holds no samples. Received: x of shape {samples.shape}")
    if input_shape is not None and samples.shape[1:] != input_shape[1:]:
        expected = ", ".join(["N", *map(str, input_shape[1:])])
        raise ValueError(
            f"{op}: the model expects x of shape ({expected}). Received: x of shape {samples.shape}"
        )
    return samples


def _finite(images: np.ndarray) -> np.ndarray:
    """Whether each sample of a batch is finite; nearly always the sum of all squares, one fast pass, shows it."""
    flat = images.reshape(-1)
    with np.errstate(all="ignore"):
        if np.dot(flat, flat) <= _LARGEST:
            return np.ones(len(images), np.bool_)
    finite: np.ndarray = (np.abs(images.reshape(len(images), -1)) <= _LARGEST).all(1)
    return finite


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
    y = np.asarray(y)
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


def weights(
    op: str,
    y: np.ndarray,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None = None,
) -> np.ndarray | None:
    """One float32 weight per sample, given or by class (1 where none is named), or None."""
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError(
                "You cannot `class_weight` and `sample_weight` at the same time. Received: both"
            )
        if not isinstance(class_weight, Mapping):
            raise TypeError(
                f"{op}: class_weight must map classes to weights. Received: {class_weight!r}"
            )
        named = [shapes.count(op, "a class in class_weight", label, 0) for label in class_weight]
        table: np.ndarray = np.ones(max(int(y.max()), *named, 0) + 1, np.float32)
        table[named] = list(class_weight.values())
        weights_by_class: np.ndarray = table[y]
        return weights_by_class
    if sample_weight is None:
        return None
    given: np.ndarray = np.asarray(sample_weight, np.float32)
    if given.shape != y.shape or not np.isfinite(given).all():
        raise ValueError(
            f"{op}: sample_weight must be finite numbers of shape {y.shape}. "
            f"Received: {given.dtype} of shape {given.shape}"
        )
    return given


def split(op: str, data: Dataset, fraction: float) -> tuple[Dataset, Dataset]:
    """The first floor(N * (1 - fraction)) samples, and the rest, in the order given."""
    if not 0 < fraction < 1:
        raise ValueError(f"{op}: validation_split must lie in 0..1. Received: {fraction!r}")
    N = len(data.x)
    at = math.floor(N * (1.0 - fraction))
    if at in (0, N):
        raise ValueError(
            f"{op}: validation_split leaves no samples on one side. "
            f"Received: {N} samples, validation_split {fraction}"
        )
    return data.take(slice(0, at)), data.take(slice(at, N))
