"""Batches that somebody else makes: generators, data sets of other libraries, objects with a length and items."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, Protocol

import numpy as np

from numba_cnn import shapes
from numba_cnn.models.data import Batch


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

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of the pass of that number."""


def makes_batches(x: Any) -> bool:
    """Whether x is no array, and no list or dict of them, but gives batches one after the other."""
    if hasattr(x, "__array__") or isinstance(x, Sequence | Mapping | Set | str | bytes | type):
        return False
    has_items = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return isinstance(x, Iterator) or hasattr(x, "__iter__") or has_items


def as_arrays(value: Any) -> Any:
    """Tensors of other libraries, alone or in lists and dicts, as NumPy arrays."""
    if isinstance(value, Mapping):
        return {key: as_arrays(one) for key, one in value.items()}
    if isinstance(value, tuple | list) and any(hasattr(one, "__array__") for one in value):
        return [as_arrays(one) for one in value]
    return np.asarray(value) if hasattr(value, "__array__") else value


class Stream:
    """The batches that a source gives, made ready by `prepared`; of `steps` in each pass, or as many as come.

    A generator goes on in the next pass where the last one stopped. What can be gone through again begins anew, or
    where `steps` are asked for when it has come to its end. Objects with a length and items are asked for the items,
    with a seed in an order of each epoch's own, and told when an epoch has ended by their on_epoch_end().
    """

    def __init__(
        self,
        op: str,
        source: Any,
        steps: int | None,
        prepared: Callable[[Any], Batch],
        seed: int | None = None,
    ) -> None:
        self.op, self._source, self._prepared, self.seed = op, source, prepared, seed
        self._asked = None if steps is None else shapes.count(op, "steps", steps)
        self._by_items = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self._runs_once = isinstance(source, Iterator) and not self._by_items
        self.is_used_up = False
        self.steps = self._asked or _length(source)
        self._running: Iterator[Any] | None = None

    def check(self) -> None:
        """Nothing is known of a batch before it is made."""

    def epoch(self, epoch: int) -> Iterator[Batch]:
        count = 0
        for item in self._items(epoch):
            yield self._prepared(item)
            count += 1
        if not count:
            raise ValueError(f"{self.op}: x must give at least one batch. Received: none")
        self.steps = self.steps or count
        self.is_used_up = self.is_used_up or (self._runs_once and self._asked is None)
        end = getattr(self._source, "on_epoch_end", None)
        if self._by_items and callable(end):
            end()

    def _items(self, epoch: int) -> Iterator[Any]:
        if self._asked is None:
            yield from self._begun(epoch)
            return
        started = False
        for count in range(self._asked):
            if self._running is None:
                self._running, started = self._begun(epoch), True
            item = next(self._running, _END)
            if item is _END and not started and not self._runs_once:
                self._running, started = self._begun(epoch), True
                item = next(self._running, _END)
            if item is _END:
                self.is_used_up = True
                warnings.warn(
                    f"{self.op}: x ran out of batches: {count} of {self._asked} came",
                    stacklevel=6,
                )
                return
            yield item

    def _begun(self, epoch: int) -> Iterator[Any]:
        """The source from its beginning."""
        length = _length(self._source)
        if not self._by_items or length is None:
            return iter(self._source)
        order = np.arange(length)
        if self.seed is not None:
            order = np.random.default_rng((self.seed, epoch)).permutation(length)
        return (self._source[int(i)] for i in order)


_END = object()


def _length(source: Any) -> int | None:
    """How many batches a source says it has, if it does."""
    try:
        return len(source) or None
    except (TypeError, NotImplementedError):
        return None
