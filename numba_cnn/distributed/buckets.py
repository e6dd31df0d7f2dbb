"""What ranks sum in a step, in a few pieces of memory, each of which starts as soon as it is full.

So the last layers' gradients are on their way while those of the first are computed. MPI moves messages while it is
called, so it is called between the launches of a backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from numba_cnn.distributed.ranks import Ranks, Share
from numba_cnn.ops import Array

MOST = 4  # buckets: each costs a few messages' latency
FEWEST = 1 << 16  # elements of a bucket: 256 KiB, which take longer to send than to announce
_LINE = 16  # elements that arrays are set apart by: a cache line of float32


class Buckets:
    """Arrays of these shapes, which are put in one after the other, and summed over ranks by their shares' weight."""

    def __init__(
        self, ranks: Ranks, shapes: Sequence[tuple[int, ...]], dtype: np.dtype, backend: Any
    ) -> None:
        self._ranks, self._backend = ranks, backend
        sizes = [int(np.prod(shape)) for shape in shapes]
        ends = np.cumsum([-(-size // _LINE) * _LINE for size in sizes]).tolist()
        self._records = backend.ABILITIES.records
        memory = np.zeros if self._records else backend.host_memory
        self._flat = memory(ends[-1] if ends else 0, dtype)
        self._weight = np.zeros(1, dtype)
        starts = [0, *ends[:-1]]
        self._arrays = [
            self._flat[start : start + size].reshape(shape)
            for start, size, shape in zip(starts, sizes, shapes, strict=True)
        ]
        least, begin = max(FEWEST, -(-len(self._flat) // MOST)), 0
        self._full: dict[int, np.ndarray] = {}  # the last array of each bucket, and the bucket
        for i, end in enumerate(ends):
            if end - begin >= least or end == len(self._flat):
                self._full[i] = self._flat[begin:end]
                begin = end
        self._requests: list[Any] = []

    def __len__(self) -> int:
        return len(self._full)

    @property
    def full(self) -> list[np.ndarray]:
        """The buckets, in the order in which they are full."""
        return [*self._full.values()]

    def begin(self, share: Share) -> None:
        """Have what is put in from now on weigh as much as this rank's share of the batch."""
        self._weight[0] = self._ranks.weight = share.weight
        self._requests.clear()
        self._ranks.note("step")

    def put(self, i: int, array: Array) -> None:
        """Enter array i: by a launch that recordings hold, as they hold what starts and tests the sums; or by a copy
        from the device, which goes on meanwhile."""
        into = self._arrays[i]
        if self._records:
            self._backend.weigh(array, self._weight, into)
        else:
            self._backend.start_copy(array, into)
        bucket = self._full.get(i)
        if bucket is None:
            return
        if not self._records:
            self._backend.synchronize()  # once a bucket
            bucket[...] = bucket * self._weight if self._weight[0] else 0
            self.start(bucket)
            return
        self._backend.host_call(partial(self.start, bucket))
        if bucket is self.full[0]:
            self._backend.host_call(self._test, repeats=True)

    def finish(self) -> list[np.ndarray]:
        """The sums, once all ranks have put in all arrays; valid until the next step."""
        self._ranks.mover.stop()
        self._ranks.note("waits")
        for k, request in enumerate(self._requests):
            self._ranks.finish(request)
            self._ranks.note(f"sum {k}")
        self._ranks.note("summed")
        return self._arrays

    def start(self, bucket: np.ndarray) -> None:
        """Begin to sum what lies in a bucket."""
        self._ranks.note(f"bucket {len(self._requests)}")
        self._requests.append(self._ranks.start_sum(bucket))
        self._ranks.mover.start()

    def _test(self) -> None:
        """Have MPI move messages: MPICH does so where it is called."""
        if self._requests:
            self._requests[-1].Test()
