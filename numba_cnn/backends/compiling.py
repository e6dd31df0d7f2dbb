"""When kernels are compiled: where a process calls them first, and no cache has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def announced(say: Callable[[], None]) -> Iterator[None]:
    """Call say() once, when the first kernel within is compiled; never where the cache has them all."""
    from numba.core import event

    class First(event.Listener):
        waits = True

        def on_start(self, event: event.Event) -> None:
            if self.waits:
                self.waits = False
                say()

        def on_end(self, event: event.Event) -> None:
            pass

    with event.install_listener("numba:compile", First()):
        yield
