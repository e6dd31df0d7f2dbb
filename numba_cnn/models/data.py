"""From the user's arrays to batches: checks, splitting, shuffling, conversion to float32."""

from __future__ import annotations

import math
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.distributed import Ranks, Share
from numba_cnn.layers.layer import InputShape
from numba_cnn.models.on_disk import OnDisk, is_on_disk
from numba_cnn.ops import Array
from numba_cnn.settings import batches_asked_for

_LARGEST = np.float64(np.finfo(np.float32).max)
_COMPARED = 64  # samples by which ranks compare their data
_GATHERED = np.float32, np.float64, np.uint8, np.int32, np.int64  # what kernels make batches of


Arrays = tuple[np.ndarray, ...]


class Dataset(NamedTuple):
    """Checked arrays on the host: samples for each input; labels and weights (N,) float32, or None, for each output."""

    x: Arrays
    labels: Arrays = ()
    sample_weight: tuple[np.ndarray | None, ...] = ()

    @property
    def N(self) -> int:
        """The number of samples."""
        return len(self.x[0])

    def take(self, part: slice) -> Dataset:
        x = [a.part(part) if isinstance(a, OnDisk) else a[part] for a in self.x]
        labels, weights = ([None if a is None else a[part] for a in arrays] for arrays in self[1:])
        return Dataset(tuple(x), tuple(labels), tuple(weights))  # type: ignore[arg-type]

    def copied(self) -> Dataset:
        """Arrays of its own, the samples as float32."""
        with np.errstate(over="ignore"):
            x = tuple(np.array(a, np.float32) for a in self.x)
        labels, weights = (
            tuple(None if a is None else a.copy() for a in arrays) for arrays in self[1:]
        )
        return Dataset(x, labels, weights)  # type: ignore[arg-type]


class Batch(NamedTuple):
    """The same for one batch, where the model lives."""

    x: tuple[Array, ...]
    labels: tuple[Array, ...]
    sample_weight: tuple[Array | None, ...]
    share: Share | None = None  # of a whole batch, where several ranks have one each


class Batches:
    """A dataset in batches of finite numbers on a backend; with a seed, in an order of each epoch's own: of samples, or
    `by_batches` of runs of them that are as long as a batch.

    The order hangs on seed and epoch alone, so that a run that is taken up again goes on as if it had not stopped.

    A batch of one input that must be gathered or converted is made while the one before is in use, if the backend can.
    It is valid until the next one is asked for: two buffers take turns.

    Of several ranks, each takes its share of every batch, and reads no other; a rank that gets none takes the first
    sample, which counts nothing: so its passes run like the others'.
    """

    is_used_up = False  # every epoch has all samples

    def __init__(
        self,
        op: str,
        data: Dataset,
        batch_size: int,
        backend: Any,
        seed: int | None = None,
        names: Sequence[str] = ("x",),
        steps: int | None = None,
        by_batches: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        self.op, self.data, self.batch_size = op, data, batch_size
        self._by_batches = by_batches
        self.backend, self.seed, self._names, self._ranks = backend, seed, names, ranks
        self._asked = batches_asked_for(op, "steps", steps)
        x = data.x[0]
        in_memory = type(x) is np.ndarray and x.flags.carray and x.dtype in _GATHERED
        self._ahead = len(data.x) == 1 and in_memory and backend.ABILITIES.prefetches
        size = max(part.stop - part.start for part in self._parts()[:1])
        self._buffers = [
            [np.empty((size, *x.shape[1:]), np.float32) for x in data.x]
            for _ in range(min(len(self), 2))
        ]
        self._finite = [np.empty(size, np.bool_) for _ in self._buffers]

    @property
    def steps(self) -> int:
        return len(self)

    def __len__(self) -> int:
        """Of a pass."""
        whole = math.ceil(self.data.N / self.batch_size)
        return whole if self._asked is None else min(self._asked, whole)

    def check(self) -> None:
        """Look at every sample now, where one that is not finite would come up too late."""
        for i, x in enumerate(self.data.x):
            if x.dtype.kind == "f":
                for part in self._parts():
                    self._check(i, part, _finite(x[part]))

    def told(self) -> dict[str, Any]:
        """Shapes, the size of batches, and checksums of the labels and of some samples."""
        some = np.linspace(0, self.data.N - 1, min(self.data.N, _COMPARED)).astype(int)
        samples = [np.ascontiguousarray(x[some]) for x in self.data.x]
        others = [a for a in (*self.data.labels, *self.data.sample_weight) if a is not None]
        return {
            "shape of x": [list(x.shape) for x in self.data.x],
            "batch_size": self.batch_size,
            "samples, by checksum": [zlib.crc32(one.data) for one in samples],
            "labels, by checksum": [zlib.crc32(np.ascontiguousarray(one).data) for one in others],
        }

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch(0)

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        """The batches of the epoch of that number."""
        parts = self._parts()
        if self.seed is None and all(map(_is_as_taken, self.data.x)):
            for k, part in enumerate(parts):
                yield self._batch(k, [x[part] for x in self.data.x], part)
            return
        order = self._order(epoch)
        for k, part in enumerate(parts):
            rows = order[part]
            if not self._ahead:
                yield self._batch(k, self._copied(k, rows), rows)
                continue
            self.backend.finish_deferred()  # this batch, or what an epoch that was broken off left
            images, finite = self._buffer(k, len(rows))
            if k == 0:
                self.backend.gather(self.data.x[0], rows, images, finite)
            batch = self._batch(k, [images], rows, finite)
            if k + 1 < len(parts):
                following = order[parts[k + 1]]
                self.backend.gather_async(
                    self.data.x[0], following, *self._buffer(k + 1, len(following))
                )
            yield batch

    def _order(self, epoch: int) -> np.ndarray:
        N = self.data.N
        if self.seed is None:
            return np.arange(N)
        chance = np.random.default_rng((self.seed, epoch))
        if not self._by_batches:
            return chance.permutation(N)
        size = self.batch_size
        whole = chance.permutation(N // size)[:, None] * size + np.arange(size)
        return np.append(whole, np.arange(N // size * size, N))

    def _parts(self) -> list[slice]:
        """Where the batches lie, or this rank's shares of them, in an epoch's order."""
        parts = []
        for k in range(len(self)):
            start, share = self.batch_size * k, self._share(k)
            first = start if share is None or not share.size else start + share.first
            count = self._size(k) if share is None else max(share.size, 1)
            parts.append(slice(first, first + count))
        return parts

    def _size(self, k: int) -> int:
        """How many samples batch k has."""
        return min(self.batch_size, self.data.N - self.batch_size * k)

    def _share(self, k: int) -> Share | None:
        return None if self._ranks is None else self._ranks.share(self._size(k))

    def _buffer(self, k: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Where batch k of one input goes: its samples, and whether each is finite."""
        return self._buffers[k % 2][0][:size], self._finite[k % 2][:size]

    def _copied(self, k: int, rows: np.ndarray) -> list[np.ndarray]:
        """Batch k, in its buffers."""
        buffers = [buffer[: len(rows)] for buffer in self._buffers[k % 2]]
        for x, images in zip(self.data.x, buffers, strict=True):
            if _is_as_taken(x):
                np.take(x, rows, axis=0, out=images, mode="clip")  # any other mode copies once more
            else:
                with np.errstate(over="ignore"):
                    images[...] = x[rows]
        return buffers

    def _batch(
        self,
        k: int,
        xs: list[np.ndarray],
        rows: slice | np.ndarray,
        finite: np.ndarray | None = None,
    ) -> Batch:
        for i, images in enumerate(xs):
            self._check(i, rows, _finite(images) if finite is None else finite)
        asarray = self.backend.asarray
        return Batch(
            tuple(map(asarray, xs)),
            tuple(asarray(labels[rows]) for labels in self.data.labels),
            tuple(None if a is None else asarray(a[rows]) for a in self.data.sample_weight),
            self._share(k),
        )

    def _check(self, i: int, rows: slice | np.ndarray, finite: np.ndarray) -> None:
        if finite.all():
            return
        x = self.data.x[i]
        sample = np.arange(len(x))[rows][finite.argmin()]
        values = np.ravel(x[sample])
        value = values[~(np.abs(values) <= _LARGEST)][0]
        raise ValueError(
            f"{self.op}: {called(self._names[i], self._names)} must be finite, as float32. "
            f"Received: {value} in sample {sample}"
        )


def called(name: str, names: Sequence[str]) -> str:
    """What errors call the samples for an input: x, and which of it where there are several."""
    return "x" if len(names) == 1 else f"x[{name!r}]"


def _is_as_taken(x: np.ndarray) -> bool:
    """Whether samples need no conversion."""
    return x.dtype == np.float32 and isinstance(x, np.ndarray) and x.flags.c_contiguous


def inputs(op: str, name: str, x: Any, input_shape: InputShape | None) -> np.ndarray:
    """The samples as a NumPy array of real numbers that fits the model, dtype unchanged.

    input_shape is that of the model, (None, ...), or None for a model that takes its shape from x.
    """
    samples = OnDisk(x) if is_on_disk(x) else array(op, name, x)
    if samples.dtype.kind not in "fiub":
        first = np.ravel(x)[0] if samples.dtype == object and samples.size else None
        keys = ", ".join(map(repr, first)) if isinstance(first, Mapping) else ""
        received = f"dicts with {keys}: make an array of each" if keys else f"dtype {samples.dtype}"
        raise TypeError(f"{op}: {name} must be an array of real numbers. Received: {received}")
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"{op}: {name} holds no samples. Received: x of shape {samples.shape}")
    if input_shape is not None and not shapes.fits(samples.shape[1:], input_shape[1:]):
        expected = ", ".join(["N", *map(str, input_shape[1:])])
        alone = shapes.fits(samples.shape, input_shape[1:])
        raise ValueError(
            f"{op}: the model expects {name} of shape ({expected}). Received: x of shape {samples.shape}"
            + (", a single sample: data sets make batches by .batch(32), arrays by x[None]" * alone)
        )
    return samples  # type: ignore[return-value]  # rows of which are taken as an array's


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
