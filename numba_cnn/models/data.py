"""From the user's arrays to batches: checks, splitting, shuffling, conversion to float32."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest, settings
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
    """A dataset in batches of finite numbers on a backend; with a seed, in an order of each epoch's own.

    The order hangs on seed and epoch alone, so that a run that is taken up again goes on as if it had not stopped.

    A batch that must be gathered or converted is made while the one before is in use, if the backend can. It is valid
    until the next one is asked for: two buffers take turns.
    """

    def __init__(
        self,
        op: str,
        data: Dataset,
        batch_size: int,
        backend: Any,
        seed: int | None = None,
    ) -> None:
        self.op, self.data, self.batch_size = op, data, batch_size
        self.backend, self.seed = backend, seed
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
        return self.epoch(0)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of the epoch of that number."""
        x, parts = self.data.x, self._parts()
        if self.seed is None and self._as_it_is:
            for part in parts:
                yield self._batch(x[part], part, _finite(x[part]))
            return
        order = self._order(epoch)
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

    def _order(self, epoch: int) -> np.ndarray:
        N = len(self.data.x)
        if self.seed is None:
            return np.arange(N)
        return np.random.default_rng((self.seed, epoch)).permutation(N)

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
    if isinstance(x, Iterator):
        raise TypeError(
            f"{op}: x must be an array; generators are not served yet, np.stack makes one array of their "
            f"samples. Received: {type(x).__name__}"
        )
    samples = array(op, "x", x)
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


def array(op: str, name: str, value: Any) -> np.ndarray:
    """The value as a NumPy array; ValueError for lists of several lengths."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{op}: {name} must be an array. Received: {nearest.shown(value)} ({error})"
        ) from error


def finite(values: np.ndarray) -> bool:
    """Whether all values are finite as float32."""
    return bool((np.abs(values) <= _LARGEST).all())


def _finite(images: np.ndarray) -> np.ndarray:
    """Whether each sample of a batch is finite; nearly always the sum of all squares, one fast pass, shows it."""
    flat = images.reshape(-1)
    with np.errstate(all="ignore"):
        if np.dot(flat, flat) <= _LARGEST:
            return np.ones(len(images), np.bool_)
    finite: np.ndarray = (np.abs(images.reshape(len(images), -1)) <= _LARGEST).all(1)
    return finite


def is_ready(samples: np.ndarray) -> bool:
    """Whether samples can go to a model as they are: float32 in C order, all finite."""
    if samples.dtype != np.float32 or not samples.flags.c_contiguous:
        return False
    return bool(np.logical_and.reduce(np.isfinite(samples), axis=None))


def split(op: str, data: Dataset, fraction: float) -> tuple[Dataset, Dataset]:
    """The first floor(N * (1 - fraction)) samples, and the rest, in the order given."""
    number = settings.real(fraction)
    if number is None or not 0 < number < 1:
        raise ValueError(
            f"{op}: validation_split must lie in 0..1. Received: {nearest.shown(fraction)}"
        )
    N, fraction = len(data.x), number
    at = math.floor(N * (1.0 - fraction))
    if at in (0, N):
        raise ValueError(
            f"{op}: validation_split leaves no samples on one side. "
            f"Received: {N} samples, validation_split {fraction}"
        )
    return data.take(slice(0, at)), data.take(slice(at, N))
