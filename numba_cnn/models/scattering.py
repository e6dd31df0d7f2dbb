"""Batches that somebody else makes, for several ranks: rank 0 takes them from their source and gives each its share."""

from __future__ import annotations

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
        self.op, self._ranks, self._stream, self._made = stream.op, ranks, stream, made
        self.seed, self.steps, self.is_used_up = stream.seed, stream.steps, False

    def check(self) -> None:
        """Nothing is known of a batch before it is made."""

    def told(self) -> Any:
        """The number of batches: what they hold is rank 0's alone."""
        return {"batches": self.steps}

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        self._stream.seed = self.seed
        if not self._ranks.is_first:
            while (said := self._ranks.first_says()).get("N"):
                yield self._share(None, said)
        else:
            with closing(self._stream.epoch(epoch)) as passing:
                for whole in passing:
                    yield self._share(whole, self._ranks.first_says(_described(whole)))
            said = {"steps": self._stream.steps, "is_used_up": self._stream.is_used_up}
            self._ranks.first_says(said)
        self.steps, self.is_used_up = said["steps"], said["is_used_up"]

    def _share(self, whole: Any, said: dict[str, Any]) -> Batch:
        """This rank's batch; a rank without samples takes the first."""
        share, size = self._ranks.share(said["N"]), self._ranks.size
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
                    bounds = (self._ranks.bounds(said["N"], rank) for rank in range(size))
                    cut = [arrays[i][a:b] if b > a else arrays[i][:1] for a, b in bounds]
                like = np.empty((max(share.size, 1), *shape), dtype)
                mine.append(self._ranks.scatter(cut, like))
            parts.append(tuple(mine))
        return self._made(Dataset(*parts), share)  # type: ignore[arg-type]


def _described(whole: Any) -> dict[str, Any]:
    """What the other ranks must know of a batch's arrays."""
    return {
        "N": whole.N,
        "arrays": [
            [None if a is None else [list(a.shape[1:]), str(a.dtype)] for a in arrays]
            for arrays in whole
        ],
    }
