"""A few threads that work ahead, in order."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from numba_cnn.busy import Work

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 2  # items that are begun for each thread
_TRIED = 8  # items that are made without threads, to see how long one takes; others may use the processor meanwhile
# Threads of Python hold one another up for about this long an item, and take a core from a training step: two of them
# took 650 us for an image that one alone decodes in 400.
_WORTH_A_THREAD = 1e-3  # seconds


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pace:
    """How long the first items took, of one map or of several of a kind."""

    def __init__(self) -> None:
        self.tried, self.least = 0, float("inf")  # seconds

    def timed(self, function: Callable[[T], R], item: T) -> R:
        """The function of an item, which counts."""
        begun = time.perf_counter()
        made = function(item)
        self.least = min(self.least, time.perf_counter() - begun)
        self.tried += 1
        return made

    def threads(self) -> int:
        """How many are worth their while."""
        return 1 if self.least < _WORTH_A_THREAD else cores()


def mapped(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int | None = None,
    most: int | None = None,
    pace: Pace | None = None,
) -> Iterator[R]:
    """The function of each item, in their order, by so many threads; or, if None, by as many as there are processors,
    and by none where the first items take so little that threads would cost more than they save; `pace` knows it of
    maps before.

    No more items than `most`, or twice as many as threads, are begun before the first of them is taken. All threads
    have ended when the iterator has, or is closed.
    """
    items = iter(items)
    if threads is None:
        pace = pace or Pace()
        for item in islice(items, max(_TRIED - pace.tried, 0)):
            yield pace.timed(function, item)
        threads = pace.threads()
    if threads == 1:
        yield from map(function, items)
        return
    most = max(threads, _AHEAD * threads if most is None else min(most, _AHEAD * threads))
    waiting: deque[Future[R]] = deque()
    work = Work()
    with ThreadPoolExecutor(threads, "numba_cnn") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, function, item))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
