"""Elements that are made one after the other when they are asked for, by the words of tf.data.Dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, session, shapes, threads
from numba_cnn.settings import flag, function
from numba_cnn.utils.elements import Plain, Tensor, as_tensor, each, leaves, rows, spread, stacked

INFINITE, UNKNOWN = -1, -2  # cardinalities, as TensorFlow has them
AUTOTUNE = -1  # for a number: as many as there are processors
Begin = Callable[[int], Iterator[Any]]


class Dataset:
    """What can be gone through again and again: arrays, or tuples or dicts of them, made when they are asked for.

    Each pass has a number, from 0; what is drawn at random in it hangs on the seed and that number. Beside what is
    held on purpose (cache, the buffer of shuffle) few elements are there at a time.

    class_names, file_paths    where the elements come from image_dataset_from_directory(), and in what is made of it
    """

    INFINITE_CARDINALITY: ClassVar[int] = INFINITE
    UNKNOWN_CARDINALITY: ClassVar[int] = UNKNOWN
    _batch_size: int | None = None  # of what batch() made, and not of maps and filters of it

    def __init__(self, begin: Begin, length: int = UNKNOWN, like: Dataset | None = None) -> None:
        self._begin, self._length, self._passes = begin, length, 0
        if like is not None:
            self._take_names(like)

    def _take_names(self, like: Dataset) -> None:
        for name in ("class_names", "file_paths"):
            if hasattr(like, name):
                setattr(self, name, getattr(like, name))

    # Where elements come from.

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """An element for each row of arrays, of a tuple or a dict of arrays of one length."""
        arrays = each(np.asarray, tensors)
        lengths = {len(one) if one.ndim else 0 for one in leaves(arrays)}
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(
                "from_tensor_slices: tensors must be arrays of one length, of at least 1. "
                f"Received: lengths {sorted(lengths)}"
            )
        return cls(lambda n: rows(arrays), lengths.pop())

    @classmethod
    def from_tensors(cls, tensors: Any) -> Dataset:
        """One element."""
        return cls(lambda n: iter((each(np.asarray, tensors),)), 1)

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Iterable[Any]], *ignored: Any, args: Any = (), **settings: Any
    ) -> Dataset:
        """What a function's iterator gives, called anew for each pass; signatures and types are not needed."""
        function("from_generator", "generator", generator)
        return cls(lambda n: iter(generator(*args)))

    @classmethod
    def range(cls, *bounds: int) -> Dataset:
        """Whole numbers, as Python's range() has them."""
        numbers = range(*bounds)
        return cls(lambda n: (np.int64(i) for i in numbers), len(numbers))

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Tuples of the elements of several datasets, as long as each has one."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple) else datasets
        for part in parts:
            _dataset("zip", "datasets", part)
        begin = lambda n: zip(*(part._begin(n) for part in parts), strict=False)  # noqa: E731
        finite = [part._length for part in parts if part._length != INFINITE]
        length = UNKNOWN if UNKNOWN in finite else min(finite, default=INFINITE)
        return Dataset(begin, length, parts[0])

    # What is made of them.

    def map(
        self,
        map_func: Any,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        **settings: Any,
    ) -> Dataset:
        """The function of each element, of a tuple's parts one by one; in order, in so many threads if asked for."""
        call = function("map", "map_func", map_func)
        count = _threads("map", num_parallel_calls)
        return self._made(
            lambda n: threads.mapped(partial(spread, call), self._begin(n), count), self._length
        )

    def batch(
        self, batch_size: int, drop_remainder: bool = False, *ignored: Any, **settings: Any
    ) -> Dataset:
        """So many elements side by side; the last batch may be smaller, or is left out."""
        size = shapes.count("batch", "batch_size", batch_size)
        whole = flag("batch", "drop_remainder", drop_remainder)

        def begin(n: int) -> Iterator[Any]:
            elements = self._begin(n)
            while batch := list(islice(elements, size)):
                if len(batch) == size or not whole:
                    yield stacked(batch)

        length = self._length
        if length > 0:
            length = length // size if whole else -(-length // size)
        made = self._made(begin, length)
        made._batch_size = size
        return made

    def unbatch(self) -> Dataset:
        """The rows of each element."""

        def begin(n: int) -> Iterator[Any]:
            for batch in self._begin(n):
                yield from rows(batch)

        return self._made(begin, INFINITE if self._length == INFINITE else UNKNOWN)

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
    ) -> Dataset:
        """Each element drawn from a buffer of the next ones; in another order in each pass, or always in the same."""
        size = shapes.count("shuffle", "buffer_size", buffer_size)
        chosen = (
            session.new_order_seed()
            if seed is None
            else shapes.count("shuffle", "seed", seed, least=0)
        )
        again = reshuffle_each_iteration is not False

        def begin(n: int) -> Iterator[Any]:
            chance = np.random.default_rng((chosen, n if again else 0))
            elements = self._begin(n)
            buffer = list(islice(elements, size))
            for element in elements:
                place = int(chance.integers(len(buffer)))
                drawn, buffer[place] = buffer[place], element
                yield drawn
            for place in chance.permutation(len(buffer)):
                yield buffer[place]

        return self._made(begin, self._length)

    def cache(self, filename: str = "") -> Dataset:
        """The elements of the first whole pass, kept in memory for the passes after it."""
        if filename:
            raise ValueError(
                f"cache: filename must be empty; elements are kept in memory. Received: {nearest.shown(filename)}"
            )
        kept: list[Any] = []

        def begin(n: int) -> Iterator[Any]:
            if kept:
                yield from kept
                return
            seen = []
            for element in self._begin(n):
                seen.append(element)
                yield element
            kept[:] = seen

        return self._made(begin, self._length)

    def prefetch(self, buffer_size: Any = None, *ignored: Any) -> Dataset:
        """The same: fit, evaluate and predict make the next batches ahead in any case."""
        return self._made(self._begin, self._length)

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements so many times, or without an end; each time a pass of its own."""
        times = None if count in (None, -1) else shapes.count("repeat", "count", count, least=0)

        def begin(n: int) -> Iterator[Any]:
            k = 0
            while times is None or k < times:
                any_came = False
                for element in self._begin(k if times is None else n * times + k):
                    any_came = True
                    yield element
                if not any_came:
                    return
                k += 1

        length = self._length
        if times is None:
            length = INFINITE
        elif length > 0:
            length *= times
        return self._made(begin, length)

    def take(self, count: int) -> Dataset:
        """The first `count` elements; -1 for all."""
        if count == -1:
            return self
        count = shapes.count("take", "count", count, least=0)
        length = {INFINITE: count, UNKNOWN: UNKNOWN}.get(self._length, min(count, self._length))
        return self._made(lambda n: islice(self._begin(n), count), length)

    def skip(self, count: int) -> Dataset:
        """All but the first `count` elements."""
        count = shapes.count("skip", "count", count, least=0)
        length = self._length if self._length < 0 else max(0, self._length - count)
        return self._made(lambda n: islice(self._begin(n), count, None), length)

    def filter(self, predicate: Any, **settings: Any) -> Dataset:
        """The elements of which a function is true."""
        call = function("filter", "predicate", predicate)
        length = INFINITE if self._length == INFINITE else UNKNOWN
        return self._made(lambda n: filter(partial(spread, call), self._begin(n)), length)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """These elements, and then those of another dataset."""
        other = _dataset("concatenate", "dataset", dataset)

        def begin(n: int) -> Iterator[Any]:
            yield from self._begin(n)
            yield from other._begin(n)

        lengths = self._length, other._length
        length = min(lengths) if min(lengths) < 0 else sum(lengths)
        return self._made(begin, length)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number, and an element."""
        first = shapes.count("enumerate", "start", start, least=0)
        return self._made(
            lambda n: ((np.int64(i), e) for i, e in enumerate(self._begin(n), first)), self._length
        )

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """What a function makes of the dataset."""
        return transformation_func(self)

    def with_options(self, options: Any, **settings: Any) -> Dataset:
        """The same."""
        return self

    def _made(self, begin: Begin, length: int) -> Dataset:
        return Dataset(begin, length, self)

    # What they are.

    def __iter__(self) -> Iterator[Any]:
        n, self._passes = self._passes, self._passes + 1
        return (each(as_tensor, element) for element in self._begin(n))

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as plain arrays and numbers; the iterator has a next(), too."""
        return Plain(self)

    def __len__(self) -> int:
        if self._length < 0:
            what = (
                "has no end"
                if self._length == INFINITE
                else "does not know how many elements it has"
            )
            raise TypeError(f"len: the dataset {what}; give steps_per_epoch, or take(count)")
        return self._length

    def __bool__(self) -> bool:
        return True

    def cardinality(self) -> Tensor:
        """How many elements there are; INFINITE_CARDINALITY, or UNKNOWN_CARDINALITY."""
        return np.asarray(np.int64(self._length)).view(Tensor)

    @property
    def element_spec(self) -> Any:
        """(shape, dtype) of the arrays of the first element."""
        return each(lambda one: (np.shape(one), np.asarray(one).dtype), next(self._begin(0)))


def _threads(op: str, count: Any) -> int | None:
    if count is None or count == AUTOTUNE:
        return 1 if count is None else None
    return min(shapes.count(op, "num_parallel_calls", count), threads.cores())


def _dataset(op: str, name: str, value: Any) -> Dataset:
    if not isinstance(value, Dataset):
        raise TypeError(f"{op}: {name} must be a Dataset. Received: {nearest.shown(value)}")
    return value
