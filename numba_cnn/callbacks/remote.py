"""The callback that tells a server how training goes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest
from numba_cnn.callbacks.callback import Callback, Logs
from numba_cnn.settings import Settings, flag, text

_SECONDS = 10  # that a server may take to answer


def _root(owner: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError(
            f"{owner}: {name} must be an address that begins with http:// or https://. "
            f"Received: {nearest.shown(value)}"
        )
    return value


def _headers(owner: str, name: str, value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(
        isinstance(one, str) and "\n" not in one for item in value.items() for one in item
    ):
        raise ValueError(
            f"{owner}: {name} must be a dict of names and texts, or None. "
            f"Received: {nearest.shown(value)}"
        )
    return dict(value)


def _any_text(owner: str, name: str, value: Any) -> str:
    return "" if isinstance(value, str) and not value else text(owner, name, value)


class RemoteMonitor(Callback):
    """Sends each epoch's number and logs to a server, by POST to root + path.

    root            the server's address
    field           what the form that is sent calls them, as a text in JSON
    headers         of the request, or None
    send_as_json    whether they are sent as application/json, without a form

    A server that does not answer within 10 s, or with an error, is a warning.
    """

    on_first_rank_only: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {
        "root": _root,
        "path": _any_text,
        "field": text,
        "headers": _headers,
        "send_as_json": flag,
    }

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        from urllib.parse import urlencode
        from urllib.request import Request, urlopen

        values = {name: np.asarray(value).item() for name, value in (logs or {}).items()}
        sent = json.dumps({"epoch": epoch, **values})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = sent if self.send_as_json else urlencode({self.field: sent})
        try:
            request = Request(
                self.root + self.path,
                body.encode(),
                {"Content-Type": kind, **(self.headers or {})},
                method="POST",
            )
            urlopen(request, timeout=_SECONDS).close()
        except (OSError, ValueError) as error:  # what urllib raises is one of these
            warnings.warn(
                f"RemoteMonitor: the server at {self.root} cannot be told: {error}", stacklevel=2
            )
