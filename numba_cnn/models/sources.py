"""Batches that somebody else makes: generators, data sets of other libraries, objects with a length and items."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import closing
from typing import Any, Protocol

import numpy as np

from numba_cnn import threads
from numba_cnn.models.ahead import ahead
from numba_cnn.models.data import Batch
from numba_cnn.settings import batches_asked_for


class Source(Protocol):
    """Batches for one pass after the other."""

    op: str
    seed: int | None  # of the batches' order

    is_used_up: bool  # whether no further pass can be made

    @property
    def steps(self) -> int | None:
        """How many batches a pass has; None before the first has shown it."""

    def check(self) -> None:
        """Look at what can be looked at before the first pass."""

    def told(self) -> Any:
        """What ranks compare, so that all of them have the same data."""

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        """The batches of the pass of that number."""


def makes_batches(x: Any) -> bool:
    """Whether x is no array, and no list or dict of them, but gives batches one after the other."""
    if hasattr(x, "__array__") or isinstance(x, Sequence | Mapping | Set | str | bytes | type):
        return False
    has_items = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return isinstance(x, Iterator) or hasattr(x, "__iter__") or has_items


def class_names(x: Any) -> list[str] | None:
    """What a source calls the classes, in the order of their numbers, if it does."""
    names, indices = getattr(x, "class_names", None), getattr(x, "class_indices", None)
    if names is None and isinstance(indices, dict):
        names = sorted(indices, key=lambda name: indices[name])
    return [*map(str, names)] if isinstance(names, list | tuple) else None


def as_arrays(value: Any) -> Any:
    """Tensors of other libraries, alone or in lists and dicts, as NumPy arrays."""
    if isinstance(value, Mapping):
        return {key: as_arrays(one) for key, one in value.items()}
    if isinstance(value, tuple | list) and any(hasattr(one, "__array__") for one in value):
        return [as_arrays(one) for one in value]
    return np.asarray(value) if hasattr(value, "__array__") else value


class Stream:
    """The batches that a source gives, made ready by `prepared`; of `steps` in each pass, or as many as come.

    A generator goes on in the next pass where the last one stopped, in the thread that asks for its batches, and none
    is taken that no step needs. What can be gone through again begins anew, or where `steps` are asked for when it has
    come to its end; its next batch is made ready by a thread while one is in use. Objects with a length and items are
    asked for the items, by as many threads as their `workers`, with a seed in an order of each epoch's own, and told
    when an epoch begins and has ended by on_epoch_begin() and on_epoch_end().
    """

    def __init__(
        self,
        op: str,
        source: Any,
        steps: int | None,
        prepared: Callable[[Any], Batch],
        seed: int | None = None,
        prefetches: bool = True,
    ) -> None:
        self.op, self._source, self._prepared, self.seed = op, source, prepared, seed
        self._asked = batches_asked_for(op, "steps", steps)
        self._by_items = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self._runs_once = isinstance(source, Iterator) and not self._by_items
        self._ahead = not self._runs_once and prefetches
        self.is_used_up = False
        self.steps = self._asked or _length(source)
        self._running: Iterator[Any] | None = None

    def check(self) -> None:
        """Nothing is known of a batch before it is made."""

    def told(self) -> Any:
        """The number of batches: what they hold is known when they are made."""
        return {"batches": self.steps}

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        self._tell("on_epoch_begin")
        count, batches = 0, self._batches(epoch)
        with closing(ahead(batches) if self._ahead else batches) as passing:
            for batch in passing:
                yield batch
                count += 1
        if not count:
            raise ValueError(f"{self.op}: x must give at least one batch. Received: none")
        if self._asked is not None and count < self._asked:
            warnings.warn(
                f"{self.op}: x ran out of batches: {count} of {self._asked} came", stacklevel=5
            )
        self.steps = self.steps or count
        self.is_used_up = self._runs_once and (self._asked is None or count < self._asked)
        self._tell("on_epoch_end")

    def _tell(self, event: str) -> None:
        call = getattr(self._source, event, None)
        if self._by_items and callable(call):
            call()

    def _batches(self, epoch: int) -> Generator[Batch, None, None]:
        """The items of a pass, made ready; errors say at which batch they came."""
        count = 0
        with closing(self._items(epoch)) as items:
            while True:
                try:
                    item = next(items, _END)
                    batch = None if item is _END else self._prepared(item)
                except Exception as error:
                    where = "" if self._asked is self.steps is None else f" of {self.steps}"
                    error.add_note(
                        f"{self.op}: this came at batch {count + 1}{where} of epoch {epoch + 1}"
                    )
                    raise
                if batch is None:
                    return
                yield batch
                count += 1

    def _items(self, epoch: int) -> Generator[Any, None, None]:
        if self._asked is None:
            begun = self._begun(epoch)
            try:
                yield from _open(begun)
            finally:
                if isinstance(begun, Generator) and not self._runs_once:
                    begun.close()
            return
        started = False
        for _ in range(self._asked):
            if self._running is None:
                self._running, started = self._begun(epoch), True
            item = next(self._running, _END)
            if item is _END and not started and not self._runs_once:
                self._running, started = self._begun(epoch), True
                item = next(self._running, _END)
            if item is _END:
                return
            yield item

    def _begun(self, epoch: int) -> Iterator[Any]:
        """The source from its beginning; a generator where it stands, which is the user's, and stays open."""
        length = _length(self._source)
        if not self._by_items or length is None:
            return iter(self._source)
        order = range(length)
        if self.seed is not None:
            order = np.random.default_rng((self.seed, epoch)).permutation(length).tolist()
        most = getattr(self._source, "max_queue_size", None)
        workers = getattr(self._source, "workers", 1)
        workers = workers if isinstance(workers, int) and workers > 0 else 1
        return threads.mapped(self._source.__getitem__, order, workers, most)


def _open(items: Iterator[Any]) -> Iterator[Any]:
    """The items, of which the iterator stays open when this is closed."""
    for item in items:  # noqa: UP028  (yield from would close it)
        yield item


_END: Any = object()


def _length(source: Any) -> int | None:
    """How many batches a source says it has, if it does."""
    try:
        return len(source) or None
    except (TypeError, NotImplementedError):
        return None
