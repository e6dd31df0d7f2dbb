"""The server: a thread for each of a bounded number of connections, each of a bounded time."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import ThreadingHTTPServer
from typing import Any, NamedTuple

from numba_cnn import nearest
from numba_cnn.serving.classifier import Classifier
from numba_cnn.serving.handler import Handler, busy
from numba_cnn.settings import integer, number

_HOST = "127.0.0.1"  # nobody else's machine reaches it


class Limits(NamedTuple):
    """What one server takes.

    upload         bytes of a request's body
    decoded        bytes of an image once it is decoded; reading takes three times that
    connections    at a time; others are told to come again
    decoders       images that are decoded at a time
    seconds        that a connection may take, from its beginning to its end
    """

    upload: int = 16 * 2**20
    decoded: int = 64 * 2**20
    connections: int = 32
    decoders: int = 2
    seconds: float = 30.0


class Server(ThreadingHTTPServer):
    """Serves a model on the loopback until shutdown().

    model     a classifier of images
    port      0 takes a free one, which server_address then tells

    Raises OSError for a port that is taken, TypeError or ValueError for what is no model, port or limit.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model: Any, port: int = 8000, limits: Limits | None = None) -> None:
        self.limits = _checked(Limits() if limits is None else limits)
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port < 1 << 16:
            raise ValueError(
                f"Server: port must be an integer from 0 to 65535. Received: {nearest.shown(port)}"
            )
        self.classifier = Classifier(model, self.limits.decoded, self.limits.decoders)
        self._places = threading.BoundedSemaphore(self.limits.connections)
        super().__init__((_HOST, port), Handler)

    @property
    def hosts(self) -> set[str]:
        """The names under which a browser may call it; a page elsewhere that leads here has another."""
        port = self.server_address[1]
        return {f"{name}:{port}" for name in (_HOST, "localhost")}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Have a thread answer, if there is a place."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.settimeout(1)
            request.sendall(busy())
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection; when its time is over it is cut, whatever it does."""
        watch = threading.Timer(self.limits.seconds, _cut, (request,))
        watch.daemon = True
        watch.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            watch.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break off are their own matter."""


def _checked(limits: Limits) -> Limits:
    if not isinstance(limits, Limits):
        raise TypeError(f"Server: limits must be Limits(...). Received: {nearest.shown(limits)}")
    for name, value in limits._asdict().items():
        check = number(above=0) if name == "seconds" else integer(1)
        check("Limits", name, value)
    return limits


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
