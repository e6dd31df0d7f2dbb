"""Datasets of batches of which each of several processes can make its own samples alone."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from numba_cnn import session
from numba_cnn.utils.dataset import Begin, Dataset
from numba_cnn.utils.elements import stacked

Cut = Callable[[int], tuple[int, int]]  # of a batch of so many: the first sample, and where to stop


class BatchesInShares(Dataset):
    """Batches of elements that are made one by one, each from its number among n.

    What looks at no element (take, skip, repeat, shuffle, cache, prefetch) gives another one of these; what does, a
    map of batches say, may need whole batches, and gives a plain Dataset.

    parts    the dataset of (N, the samples of a share) for a cut of batches of N samples
    told     what processes compare, as only equal datasets can be put together from shares
    """

    def __init__(
        self, whole: Dataset, parts: Callable[[Cut], Dataset], told: Callable[[], Any]
    ) -> None:
        super().__init__(whole._begin, whole._length, whole)
        self._batch_size = whole._batch_size
        self._parts, self._about = functools.cache(parts), told  # so that what is cached stays

    def _in_shares(self, cut: Cut) -> Dataset:
        """(N, the samples of a share) of each batch, in passes that count as this dataset's own."""

        def begin(_: int) -> Iterator[Any]:
            n, self._passes = self._passes, self._passes + 1
            return self._parts(cut)._begin(n)

        return Dataset(begin, self._length)

    def _told(self) -> Any:
        return [self._passes, self._about()]

    def _also(self, op: str, *arguments: Any) -> Dataset:
        return BatchesInShares(
            getattr(Dataset, op)(self, *arguments),
            lambda cut: getattr(self._parts(cut), op)(*arguments),
            lambda: [op, *arguments, self._about()],
        )

    def take(self, count: int) -> Dataset:
        return self._also("take", count)

    def skip(self, count: int) -> Dataset:
        return self._also("skip", count)

    def repeat(self, count: int | None = None) -> Dataset:
        return self._also("repeat", count)

    def cache(self, filename: str = "") -> Dataset:
        return self._also("cache", filename)

    def prefetch(self, buffer_size: Any = None, *ignored: Any) -> Dataset:
        return self._also("prefetch")

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
    ) -> Dataset:
        seed = session.new_order_seed() if seed is None else seed
        return self._also("shuffle", buffer_size, seed, reshuffle_each_iteration)


def batches(
    order: Callable[[int], np.ndarray],
    made: Callable[[np.ndarray], Iterator[Any]],
    n: int,
    size: int,
    told: Callable[[], Any],
) -> Dataset:
    """Batches of `size` of what is `made` of numbers 0..n-1, in the order of each pass."""

    def parts(cut: Cut) -> Dataset:
        def begin(number: int) -> Iterator[Any]:
            places = order(number)
            whole = [places[i : i + size] for i in range(0, n, size)]
            mine = [batch[slice(*cut(len(batch)))] for batch in whole]
            elements = made(np.concatenate(mine))
            for batch, part in zip(whole, mine, strict=True):
                yield len(batch), stacked(list(islice(elements, len(part))))

        return Dataset(begin, -(-n // size))

    begin: Begin = lambda number: made(order(number))  # noqa: E731
    return BatchesInShares(Dataset(begin, n).batch(size), parts, lambda: [size, told()])


def checksum(*values: Any) -> int:
    """Of what repr() shows."""
    return zlib.crc32(repr(values).encode())
