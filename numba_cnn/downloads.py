"""Files from the network, kept where Keras keeps them: fetched once, in pieces if need be, checked before use."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

from numba_cnn import files, nearest

_CHUNK = 2**20  # bytes
_PATIENCE = 30  # seconds that a server may be silent
_PARTIAL = 206  # HTTP's status of a part that was asked for


def cache_folder(cache_dir: str | os.PathLike[str] | None, subfolder: str) -> Path:
    """Where files are kept: below cache_dir, KERAS_HOME or ~/.keras."""
    home = cache_dir or os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / subfolder


def fetch(target: Path, origin: str, digest: str | None = None, again: bool = False) -> Path:
    """The file at that path, fetched from `origin` unless it is there and has the digest.

    digest    SHA-256, or MD5, in hexadecimal
    again     whether to fetch it in any case

    Raises OSError, with what to put where, if the server cannot be reached, ValueError for a file that has another
    digest or an address that is not https.
    """
    if not again and target.is_file() and (digest is None or has_digest(target, digest)):
        return target
    address = urlparse(origin)
    if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"files are fetched by https alone. Received: {nearest.shown(origin)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    print(f"Downloading {origin}", flush=True)
    try:
        _receive(origin, part)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise OSError(
            f"{origin} cannot be fetched: {reason}. Fetch it elsewhere and put it at {target}"
        ) from error
    if digest is not None and not has_digest(part, digest):
        part.unlink()
        raise ValueError(
            f"what {origin} gave is not the file that was meant: its digest is not {digest}. "
            f"Received: {target.name}"
        )
    os.replace(part, target)
    return target


def has_digest(path: Path, digest: str) -> bool:
    """Whether the file has that SHA-256, or MD5 if it is as short as one."""
    made = hashlib.md5(usedforsecurity=False) if len(digest) == 32 else hashlib.sha256()
    with files.open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            made.update(chunk)
    return made.hexdigest() == digest.lower()


def _receive(origin: str, part: Path) -> None:
    """Write what the server gives behind what is there, or anew if it does not give parts."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(origin, headers={"User-Agent": "numba_cnn"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:  # the server has no more than there is
            raise
        return
    with answer, open(part, "ab" if answer.status == _PARTIAL else "wb") as file:
        expected = answer.headers.get("Content-Length")
        received = 0
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            received += len(chunk)
    if expected is not None and received < int(expected):
        raise OSError(f"it broke off after {received} of {expected} bytes; call again to go on")
