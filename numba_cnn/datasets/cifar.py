"""The pickled files of CIFAR, read by what knows bytes, text, numbers, lists, dicts and arrays of bytes alone."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn import downloads, files

Split = tuple[np.ndarray, np.ndarray]

_MOST = 256 * 2**20  # bytes of one batch; the largest there is has 148 MiB


def batches(folder: str, names: Sequence[str], origin: str, digest: str) -> list[dict[str, Any]]:
    """The batches of these names: from where Keras has unpacked them, or from the archive, fetched if need be."""
    home = downloads.cache_folder(None, "datasets")
    for unpacked in (home / f"{folder}-target" / folder, home / folder):
        if all((unpacked / name).is_file() for name in names):
            return [_read(unpacked / name) for name in names]
    archive = downloads.fetch(home / f"{folder}.tar.gz", origin, digest)
    with files.reading("not a complete archive", archive), tarfile.open(archive, "r:gz") as tar:
        return [_member(tar, f"{folder}/{name}") for name in names]


def images(found: Sequence[dict[str, Any]], labels: str) -> Split:
    """All images as (N, 32, 32, 3) and their labels as (N, 1), uint8."""
    parts = []
    for batch in found:
        data, numbers = batch.get("data"), batch.get(labels)
        if (
            not isinstance(data, np.ndarray)
            or data.shape[1:] != (3072,)
            or not isinstance(numbers, list)
            or len(numbers) != len(data)
        ):
            raise ValueError(
                f"a batch must have data (N, 3072) and {labels}. Received: {sorted(batch)}"
            )
        parts.append((data, np.array(numbers, np.uint8)))
    x = np.concatenate([data for data, _ in parts]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.concatenate([y for _, y in parts])[:, None]


def _member(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is missing")
    return _unpickled(file.read(_MOST + 1), name)


def _read(path: Path) -> dict[str, Any]:
    with files.reading("not a batch of CIFAR", path), files.open_regular(path) as file:
        return _unpickled(file.read(_MOST + 1), path.name)


def _unpickled(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > _MOST:
        raise ValueError(f"{name} has more than {_MOST} bytes")
    found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    if not isinstance(found, dict):
        raise ValueError(f"{name} must hold a dict. Received: {type(found).__name__}")
    return {k.decode() if isinstance(k, bytes) else str(k): value for k, value in found.items()}


def _empty(*arguments: Any) -> np.ndarray:
    """What an array is before its state, with its bytes, is set."""
    return np.empty((0,), np.uint8)


def _bytes(name: Any, *flags: Any) -> np.dtype[Any]:
    if name not in ("u1", b"u1", "|u1"):
        raise pickle.UnpicklingError(f"arrays must be of bytes. Received: {name!r:.40}")
    return np.dtype("u1", False, True)


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes as Python 3 writes them for Python 2."""
    return text.encode("latin1")


_KNOWN = {"_reconstruct": _empty, "dtype": _bytes, "ndarray": np.ndarray}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _encoded
        if module.partition(".")[0] != "numpy" or name not in _KNOWN:
            raise pickle.UnpicklingError(
                f"only arrays of bytes are read. Received: {module}.{name}"
            )
        return _KNOWN[name]
