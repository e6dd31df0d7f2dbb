"""What an iterator gives, made by a thread while what it gave before is in use."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator
from typing import Any, TypeVar

from numba_cnn.busy import Work

T = TypeVar("T")
_PATIENCE = (
    5  # seconds that are waited for the thread to end: the item that it makes may never come
)
_END = object()


def ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """The items, in their order: one waits while the next is made. Errors are raised where the item was to be.

    The thread has ended, and `items` is closed, when this has ended or is closed.
    """
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(1)
    stopped = threading.Event()

    def make() -> None:
        try:
            work, item = Work(), None
            while item is not _END and not stopped.is_set():
                item = work(next, items, _END)
                ready.put((item, None))
        except BaseException as error:  # whatever it is: it is raised where the item was to be
            ready.put((_END, error))
        finally:
            items.close()

    thread = threading.Thread(target=make, name="numba_cnn", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        with contextlib.suppress(queue.Empty):
            ready.get_nowait()  # for which the thread may wait
        thread.join(_PATIENCE)
