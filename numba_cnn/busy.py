"""How many threads make data just now, to which the kernels' threads leave their processors.

Where more threads compute than there are processors, the system takes one from a kernel's thread in the middle of a
piece, and the others wait for it, which takes milliseconds. So a kernel's thread looks at this number between pieces.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

R = TypeVar("R")
# A call counts if the last one of its kind computed for as long, and for such a share of its time: who waits for a
# disk, or has done in a moment, needs no processor for itself.
_SECONDS, _SHARE = 1e-3, 0.3

count = np.zeros(1, np.int64)  # compiled code reads it while it changes
_lock = threading.Lock()


class Work:
    """Calls of a kind, by one thread or several."""

    def __init__(self) -> None:
        self._counts = False

    def __call__(self, function: Callable[..., R], *arguments: object) -> R:
        """What the function gives; in the meantime this thread is counted, if such calls are."""
        more = int(self._counts)
        _add(more)
        begun, computed = time.perf_counter(), time.thread_time()
        try:
            return function(*arguments)
        finally:
            computed = time.thread_time() - computed
            share = computed / max(time.perf_counter() - begun, 1e-9)
            self._counts = computed > _SECONDS and share > _SHARE
            _add(-more)


def _add(more: int) -> None:
    with _lock:
        count[0] += more


def _begin_anew() -> None:
    """In a process that has been forked from this one, whose threads are not there."""
    global _lock
    _lock = threading.Lock()
    count[0] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
