"""A few threads that work ahead, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 2  # items that are begun for each thread


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def mapped(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int | None = None,
    most: int | None = None,
) -> Iterator[R]:
    """The function of each item, in their order, by so many threads, or as many as there are processors.

    No more items than `most`, or twice as many as threads, are begun before the first of them is taken. All threads
    have ended when the iterator has, or is closed.
    """
    threads = cores() if threads is None else threads
    most = max(threads, _AHEAD * threads if most is None else min(most, _AHEAD * threads))
    if threads == 1:
        yield from map(function, items)
        return
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, "numba_cnn") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
