"""Batches by their number, made by a class of the user's."""

from __future__ import annotations

from typing import Any

from numba_cnn import shapes
from numba_cnn.settings import flag


class PyDataset:
    """The base of what gives batches: __len__ says how many, and __getitem__(i) makes (x, y) or (x, y, sample_weight).

    workers                how many threads make batches at a time
    use_multiprocessing    taken for scripts' sake: threads make them in any case, never forked processes
    max_queue_size         how many batches may be begun before they are needed

    on_epoch_begin() and on_epoch_end() are called in between, while no batch is made.
    """

    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        op = type(self).__name__
        self.workers = shapes.count(op, "workers", workers, least=0)
        self.use_multiprocessing = flag(op, "use_multiprocessing", use_multiprocessing)
        self.max_queue_size = shapes.count(op, "max_queue_size", max_queue_size)

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: define __len__, the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: define __getitem__(i), which makes batch i"
        )

    @property
    def num_batches(self) -> int | None:
        """How many batches there are, or None where nobody knows."""
        try:
            return len(self)
        except NotImplementedError:
            return None

    def on_epoch_begin(self) -> None:
        """Called before an epoch."""

    def on_epoch_end(self) -> None:
        """Called after an epoch."""


Sequence = PyDataset
