"""Has MPI move messages while kernels run, which call nothing: a thread that wakes up from time to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

_NAP = 2e-4  # seconds between two calls: what a network of 25 Gbit/s sends in them fits its buffers


class Mover:
    """A thread that calls poll() again and again between start() and stop(), and sleeps else; no thread for None."""

    def __init__(self, poll: Callable[[], Any] | None) -> None:
        self._moving = threading.Event()
        if poll is not None:
            arguments = poll, self._moving
            threading.Thread(target=_move, args=arguments, name="numba_cnn", daemon=True).start()

    def start(self) -> None:
        """From now on messages move."""
        self._moving.set()

    def stop(self) -> None:
        """Those who wait move them themselves."""
        self._moving.clear()


def _move(poll: Callable[[], Any], moving: threading.Event) -> None:
    while True:
        moving.wait()
        poll()
        time.sleep(_NAP)
