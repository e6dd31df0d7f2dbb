"""One connection: what is asked, and the answer, JSON or the page to drop pictures on."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_FILES = {
    "/": ("drop.html", "text/html; charset=utf-8"),
    "/drop.css": ("drop.css", "text/css; charset=utf-8"),
    "/drop.js": ("drop.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PIECE = 2**16  # bytes that are read at a time


class Refused(Exception):
    """A request that is not answered: its code, and why in one sentence."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class Handler(BaseHTTPRequestHandler):
    """GET / is the page, GET /model says what the model is, POST /predict?top=3 takes an image's bytes."""

    server: Any
    server_version = "numba-cnn"
    sys_version = ""
    default_request_version = "HTTP/1.0"  # the answer to what is no request has a head, too

    def setup(self) -> None:
        self.request.settimeout(self.server.limits.seconds)
        self._end = time.monotonic() + self.server.limits.seconds
        super().setup()

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, function: Any) -> None:
        try:
            self._check_caller()
            kind, content = function()
            code = 200
        except Refused as refused:
            code, kind, content = refused.code, _JSON, _error(str(refused))
        except ValueError as error:
            code, kind, content = 400, _JSON, _error(str(error))
        except OSError:
            return  # nobody is there any more
        except MemoryError:
            code, kind, content = (
                503,
                _JSON,
                _error("there is not enough memory; try a smaller image"),
            )
        with contextlib.suppress(OSError):
            self._send(code, kind, content)

    def finish(self) -> None:
        """Send what is left to send, and take what still comes: who is cut off while sending sees no answer."""
        with contextlib.suppress(OSError):
            super().finish()
            self.request.shutdown(socket.SHUT_WR)
            while time.monotonic() < self._end and self.request.recv(_PIECE):
                pass

    def _check_caller(self) -> None:
        """Refuse what a page of another site has a browser ask."""
        hosts, origin = self.server.hosts, self.headers.get("Origin")
        if self.headers.get("Host", "") not in hosts:
            raise Refused(403, f"the request must be to {' or '.join(sorted(hosts))}")
        if origin is not None and urlsplit(origin).netloc not in hosts:
            raise Refused(403, "the request must not come from another site's page")

    def _get(self) -> tuple[str, bytes]:
        path = urlsplit(self.path).path
        if path == "/model":
            classifier = self.server.classifier
            H, W, C = classifier.shape
            said = {"name": classifier.model.name, "input": [H, W, C], "classes": classifier.names}
            return _JSON, json.dumps(said).encode()
        if path not in _FILES:
            raise Refused(404, "there are /, /model and /predict")
        name, kind = _FILES[path]
        return kind, Path(__file__).with_name(name).read_bytes()

    def _post(self) -> tuple[str, bytes]:
        parts = urlsplit(self.path)
        if parts.path != "/predict":
            raise Refused(404, "images are posted to /predict")
        top = _top(parts.query)
        return _JSON, json.dumps(
            {"classes": self.server.classifier.classes(self._body(), top)}
        ).encode()

    def _body(self) -> bytes:
        """The bytes that the request says it has."""
        if self.headers.get("Transfer-Encoding") is not None:
            raise Refused(411, "the body must come in one piece, with a Content-Length")
        said = self.headers.get_all("Content-Length") or []
        if len(said) != 1 or not (said[0].isascii() and said[0].isdecimal() and len(said[0]) < 20):
            raise Refused(411, "the request must have a Content-Length")
        length, most = int(said[0]), self.server.limits.upload
        if length > most:
            raise Refused(413, f"an image may have {most} bytes; this one has {length}")
        pieces, left = [], length
        while left:
            if time.monotonic() > self._end:
                raise Refused(408, "the body took too long")
            piece = self.rfile.read1(min(left, _PIECE))
            if not piece:
                raise Refused(400, f"the body must have {length} bytes; it has {length - left}")
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _send(self, code: int, kind: str, content: bytes) -> None:
        self.send_response(code)
        for name, value in {
            **_HEADERS,
            "Content-Type": kind,
            "Content-Length": str(len(content)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses is said in JSON too."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self._send(code, _JSON, _error(message or "the request cannot be answered"))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is written down."""


_JSON = "application/json"


def busy() -> bytes:
    """The answer to those for whom there is no place."""
    content = _error("too many connections at a time; try again")
    head = f"HTTP/1.0 503 Busy\r\nContent-Type: {_JSON}\r\nRetry-After: 1\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _top(query: str) -> int:
    said = parse_qs(query).get("top", ["5"])[-1]
    if not (said.isascii() and said.isdecimal() and 1 <= int(said[:6]) <= 1000):
        raise Refused(400, "top must be a whole number of 1 to 1000")
    return int(said[:6])


def _error(why: str) -> bytes:
    return json.dumps({"error": " ".join(why.split())}).encode()
