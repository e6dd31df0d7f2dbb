"""Files from the network for scripts."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from numba_cnn import downloads, files, nearest
from numba_cnn.settings import flag, text


@nearest.keywords
def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file from the network, fetched once into ~/.keras/datasets; of an archive that is to be unpacked
    the path of the folder.

    fname            the file's name there; that of origin unless given
    origin           an https address
    file_hash        SHA-256 or MD5 of the file, which is checked (md5_hash is the older word)
    untar, extract   whether to unpack a .tar, .tar.gz, .tar.bz2 or .zip: members outside of the folder are refused

    Raises OSError, which says what to put where, if it cannot be fetched, ValueError for another digest.
    """
    origin = text("get_file", "origin", origin)
    name = Path(urlparse(origin).path).name if fname is None else text("get_file", "fname", fname)
    unpack = flag("get_file", "untar", untar) or flag("get_file", "extract", extract)
    folder = downloads.cache_folder(cache_dir, text("get_file", "cache_subdir", cache_subdir))
    digest = file_hash or md5_hash
    if not unpack:
        return str(downloads.fetch(folder / name, origin, digest, force_download))
    target = folder / name
    whole = target if target.suffix else target.with_name(f"{name}_archive")
    archive = downloads.fetch(whole, origin, digest, force_download)
    unpacked = target.with_name(f"{name}_extracted") if target.suffix else target
    if force_download or not unpacked.is_dir():
        _unpack(archive, unpacked)
    return str(unpacked)


def _unpack(archive: Path, folder: Path) -> None:
    with files.reading("not a .tar or .zip archive", archive):
        if tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            return
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                _check_inside(folder, name)
            zipped.extractall(folder)


def _check_inside(folder: Path, name: Any) -> None:
    inside = os.path.realpath(folder)
    if not os.path.realpath(folder / name).startswith(inside + os.sep) and not str(name).endswith(
        "/"
    ):
        raise ValueError(f"a member lies outside of the folder. Received: {name!r:.80}")
