"""From what a user gives to fit, evaluate and predict to batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest, settings, shapes
from numba_cnn.distributed import Share
from numba_cnn.models import data, sources, structure, targets
from numba_cnn.models.distributing import Distributed
from numba_cnn.models.scattering import InShares, Scattered
from numba_cnn.models.sources import Source, Stream
from numba_cnn.models.structure import one_or_all

BATCH_SIZE = 32  # samples, unless told otherwise


class Maker(NamedTuple):
    """What gives batches."""

    x: Any


Given = data.Dataset | Maker


class Feeder(Distributed):
    """A model that is fed with arrays, or with batches that somebody else makes."""

    def _given(self, op: str, x: Any, y: Any, sample_weight: Any) -> Given:
        """Checked arrays; or what gives batches of all three."""
        if isinstance(x, Mapping) and any(map(sources.makes_batches, x.values())):
            raise ValueError(
                f"{op}: x must be arrays, or one that gives batches. Received: a dict of what gives batches, with "
                f"{', '.join(map(repr, x))}: give x[{next(iter(x))!r}]"
            )
        if not sources.makes_batches(x):
            return self._dataset(op, x, y, sample_weight)
        if y is not None or sample_weight is not None:
            raise ValueError(
                f"{op}: where x gives batches, they hold y and sample_weight too. "
                f"Received: x a {type(x).__name__}, and y or sample_weight"
            )
        self._check_compiled(op)
        return Maker(x)

    def _fed(
        self,
        op: str,
        given: Given,
        batch_size: int | None,
        steps: int | None = None,
        *,
        seed: int | None = None,
        by_batches: bool = False,
        class_weight: Any = None,
    ) -> Source:
        """Batches of (x, y, sample_weight), of which a pass takes `steps`, or all."""
        if isinstance(given, Maker):
            return self._stream(op, given.x, steps, partial(self._prepared, op, class_weight), seed)
        weighted = targets.weighted(op, given, class_weight, self.output_shape)
        return self._in_batches(op, weighted, batch_size, seed, steps, by_batches)

    def _prepared(self, op: str, class_weight: Any, batch: Any) -> data.Dataset:
        """A batch (x, y) or (x, y, sample_weight) that somebody else made, checked."""
        if not isinstance(batch, tuple | list) or not 2 <= len(batch) <= 3:
            received = nearest.shown(batch)
            if isinstance(batch, Mapping):
                keys = ", ".join(map(repr, batch))
                received = f"a dict with {keys}; such a batch d becomes a pair by map(lambda d: (d[...], d[...]))"
            raise ValueError(
                f"{op}: x must give batches (x, y) or (x, y, sample_weight). Received: {received}"
            )
        x, y, weight = map(sources.as_arrays, (*batch, None)[:3])
        dataset = self._dataset(op, x, y, weight)
        return targets.weighted(op, dataset, class_weight, self.output_shape)

    def _stream(
        self,
        op: str,
        source: Any,
        steps: int | None,
        prepared: Callable[[Any], data.Dataset],
        seed: int | None = None,
    ) -> Source:
        """The batches of a source, of which `prepared` makes checked arrays."""

        def stream(given: Any, made: Callable[[Any], Any]) -> Stream:
            return Stream(op, given, steps, made, seed, self.backend.ABILITIES.prefetches)

        def made(batch: Any, share: Share | None = None) -> data.Batch:
            return self._of_share(op, prepared(batch).copied(), share)

        ranks = self._ranks
        if ranks is None:
            return stream(source, made)
        whole = Scattered(
            ranks, stream(source, lambda b: prepared(b).copied()), partial(self._of_share, op)
        )
        if not hasattr(source, "_in_shares"):
            return whole
        mine = source._in_shares(ranks.made)
        return InShares(source, stream(mine, lambda b: made(b[1], ranks.share(int(b[0])))), whole)

    def _of_share(self, op: str, dataset: data.Dataset, share: Share | None) -> data.Batch:
        """All samples as one batch, where the model lives."""
        batches = data.Batches(op, dataset, dataset.N, self.backend, None, self.input_names)
        return next(iter(batches))._replace(share=share)

    def _samples(self, op: str, x: Any, batch_size: int | None, steps: int | None) -> Source:
        """Batches of samples alone."""
        if not sources.makes_batches(x):
            dataset = data.Dataset(self._inputs(op, x))
            return self._in_batches(op, dataset, batch_size, None, steps)

        def prepared(batch: Any) -> data.Dataset:
            return data.Dataset(self._inputs(op, sources.as_arrays(self._samples_of(batch))))

        return self._stream(op, x, steps, prepared)

    def _samples_of(self, batch: Any) -> Any:
        """What a batch has beside labels and weights, which are in a tuple, or in the list that a loader makes."""
        made = isinstance(batch, list) and len(batch) in (2, 3) and len(self._starts) < 2
        listed = made and all(hasattr(one, "__array__") for one in batch)
        return batch[0] if isinstance(batch, tuple) or listed else batch

    def _check_compiled(self, op: str) -> None:
        if not self._objectives:
            raise ValueError(
                f"{op}: call compile(optimizer, loss) first. Received: an uncompiled model"
            )

    def _dataset(
        self,
        op: str,
        x: Any,
        y: Any,
        sample_weight: Any = None,
    ) -> data.Dataset:
        """The checked arrays, for a model that is known to be compiled and fit for its losses."""
        self._check_compiled(op)
        xs, names = self._inputs(op, x), self.output_names
        ends = self.output_shape
        if any(None in end.shape[1:] for end in self._ends):
            ends = self.compute_output_shape(one_or_all([(None, *a.shape[1:]) for a in xs]))
        N, labels, weights = len(xs[0]), [], []
        idle = [not (one.has_loss or one.metrics) for one in self._objectives]
        if isinstance(y, Mapping):  # which need not have what nothing is asked of
            y = {
                **dict.fromkeys(name for name, is_idle in zip(names, idle, strict=True) if is_idle),
                **y,
            }
        for objective, cut, one, end, weight in zip(
            self._objectives,
            self._scored_plan()[1],
            structure.arrays(op, "y", y, names, lambda one: one.shape[:1] == (N,)),
            ends if isinstance(ends, list) else [ends],
            structure.weights(op, sample_weight, names),
            strict=True,
        ):
            targets.check_scores(op, cut, objective.loss)
            place = op if objective.name is None else f"{op}, output {objective.name!r}"
            if objective.has_loss or objective.metrics:
                labels.append(targets.targets(place, one, N, end, objective.loss))
            else:
                labels.append(np.zeros(N, np.float32))
            weights.append(targets.weights(place, labels[-1], weight, end))
        return data.Dataset(xs, tuple(labels), tuple(weights))

    def _inputs(self, op: str, x: Any) -> tuple[np.ndarray, ...]:
        """The checked samples for each input; they build a model that does not know its shape yet."""
        if not self._layers:
            raise ValueError(f"{op}: add layers to the model first. Received: a model without any")
        if not self.built:
            samples = data.inputs(op, "x", x, None)
            self.build((None, *samples.shape[1:]))
            return (samples,)
        names = self.input_names
        given = structure.arrays(op, "x", x, names, self._is_batch)
        found = []
        for name, one, start in zip(names, given, self._starts, strict=True):
            found.append(data.inputs(op, data.called(name, names), one, start.shape))
        if len({len(samples) for samples in found}) > 1:
            raise ValueError(
                f"{op}: the arrays of x must have the same length. Received: {[*map(len, found)]}"
            )
        return tuple(found)

    def _in_batches(
        self,
        op: str,
        dataset: data.Dataset,
        batch_size: int | None,
        seed: int | None = None,
        steps: int | None = None,
        by_batches: bool = False,
    ) -> data.Batches:
        size = shapes.count(op, "batch_size", BATCH_SIZE if batch_size is None else batch_size)
        names = self.input_names
        how = self.backend, seed, names, steps, by_batches, self._ranks
        return data.Batches(op, dataset, size, *how)

    def _train_batch(self, batch: data.Batch) -> None:
        """One step of the optimizer."""
        x, labels, weights, share = batch
        told = (
            () if share is None else (share,)
        )  # a train_step() of the user's own need not take it
        self.train_step(one_or_all(x), one_or_all(labels), one_or_all(weights), *told)


def split(op: str, given: Any, fraction: float) -> tuple[data.Dataset, data.Dataset]:
    """The first floor(N * (1 - fraction)) samples, and the rest, in the order given."""
    if not isinstance(given, data.Dataset):
        raise ValueError(
            f"{op}: validation_split divides arrays; pass validation_data where x gives batches. "
            f"Received: validation_split {nearest.shown(fraction)}"
        )
    number = settings.real(fraction)
    if number is None or not 0 < number < 1:
        raise ValueError(
            f"{op}: validation_split must be above 0 and below 1. Received: {nearest.shown(fraction)}"
        )
    N, fraction = given.N, number
    at = math.floor(N * (1.0 - fraction))
    if at in (0, N):
        raise ValueError(
            f"{op}: validation_split leaves no samples on one side. "
            f"Received: {N} samples, validation_split {fraction}"
        )
    return given.take(slice(0, at)), given.take(slice(at, N))
