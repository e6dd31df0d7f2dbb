"""Batches that somebody else makes, for several ranks: each makes its share of them, where their source knows how; else
rank 0 takes them from it and gives each its share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import numpy as np

from numba_cnn.distributed import Ranks, Share
from numba_cnn.models.data import Batch, Dataset
from numba_cnn.models.sources import Stream


class Scattered:
    """A stream of whole batches, as datasets, that rank 0 goes through, and whose shares `made` makes batches of.

    The other ranks never ask the source for anything.
    """

    def __init__(
        self, ranks: Ranks, stream: Stream, made: Callable[[Dataset, Share], Batch]
    ) -> None:
        self.op, self.ranks, self._stream, self._made = stream.op, ranks, stream, made
        self.seed, self.steps, self.is_used_up = stream.seed, stream.steps, False

    def check(self) -> None:
        """Nothing is known of a batch before it is made."""

    def told(self) -> Any:
        """The number of batches: what they hold is rank 0's alone."""
        return {"batches": self.steps}

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        self._stream.seed = self.seed
        if not self.ranks.is_first:
            while (said := self.ranks.first_says()).get("N"):
                yield self._share(None, said)
        else:
            with closing(self._stream.epoch(epoch)) as passing:
                for whole in passing:
                    yield self._share(whole, self.ranks.first_says(_described(whole)))
            said = {"steps": self._stream.steps, "is_used_up": self._stream.is_used_up}
            self.ranks.first_says(said)
        self.steps, self.is_used_up = said["steps"], said["is_used_up"]

    def _share(self, whole: Any, said: dict[str, Any]) -> Batch:
        """This rank's batch; a rank without samples takes the first."""
        share, size = self.ranks.share(said["N"]), self.ranks.size
        parts = []
        for group, arrays in zip(said["arrays"], whole or (None, None, None), strict=True):
            mine: list[np.ndarray | None] = []
            for i, kind in enumerate(group):
                if kind is None:
                    mine.append(None)
                    continue
                shape, dtype = kind
                cut = None
                if arrays is not None:
                    bounds = (self.ranks.bounds(said["N"], rank) for rank in range(size))
                    cut = [arrays[i][a:b] if b > a else arrays[i][:1] for a, b in bounds]
                like = np.empty((max(share.size, 1), *shape), dtype)
                mine.append(self.ranks.scatter(cut, like))
            parts.append(tuple(mine))
        return self._made(Dataset(*parts), share)  # type: ignore[arg-type]


class InShares:
    """A source of whose batches each rank makes its own samples alone; `whole`, where ranks' sources are not equal.

    source    has _told(), which ranks compare before each pass
    mine      its batches in shares
    """

    def __init__(self, source: Any, mine: Stream, whole: Scattered) -> None:
        self.op, self._source, self._whole = whole.op, source, whole
        self._used: Stream | Scattered = mine
        self.seed, self.steps, self.is_used_up = whole.seed, whole.steps, False

    def check(self) -> None:
        """Nothing is known of a batch before it is made."""

    def told(self) -> Any:
        return self._whole.told()

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        ranks = self._whole.ranks
        told = ranks.said(self._source._told()) if self._used is not self._whole else []
        if any(one != told[0] for one in told):
            self._used = self._whole
            if ranks.is_first:
                warnings.warn(
                    f"{self.op}: rank 0 alone reads x, since the others' files, seeds or passes differ from its own: "
                    "give seed, or call set_random_seed() first, to have each rank read its share",
                    stacklevel=2,
                )
        self._used.seed = self.seed
        yield from self._used.epoch(epoch)
        self.steps, self.is_used_up = self._used.steps, self._used.is_used_up


def _described(whole: Any) -> dict[str, Any]:
    """What the other ranks must know of a batch's arrays."""
    return {
        "N": whole.N,
        "arrays": [
            [None if a is None else [list(a.shape[1:]), str(a.dtype)] for a in arrays]
            for arrays in whole
        ],
    }
