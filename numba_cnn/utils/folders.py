"""Which files of a folder count."""

from __future__ import annotations

import os
from pathlib import Path

from numba_cnn import nearest, pictures


def checked(op: str, directory: str | os.PathLike[str]) -> str:
    """The path of a folder that is there; else TypeError, FileNotFoundError or NotADirectoryError."""
    if not isinstance(directory, str | os.PathLike) or not os.fspath(directory):
        raise TypeError(f"{op}: directory must be a path. Received: {nearest.shown(directory)}")
    os.scandir(directory).close()
    return os.fspath(directory)


def classes(directory: str) -> list[str]:
    """The names of the folders in a folder, in order; without what systems hide or leave there."""
    return sorted(
        entry.name
        for entry in os.scandir(directory)
        if entry.is_dir() and entry.name[0] != "." and entry.name not in pictures.NO_CLASSES
    )


def files_below(directory: str, endings: tuple[str, ...], follow_links: bool = False) -> list[str]:
    """The files with these endings, in capitals too, in a folder and those below, as paths from there: the folders in
    their order, and the files in each; neither what is hidden nor what is no regular file, nor, by a link, a folder
    within itself."""
    found: list[tuple[str, list[str]]] = []
    for folder, inner, names in os.walk(directory, followlinks=follow_links):
        inner[:] = [n for n in inner if n[0] != "." and not _leads_back(folder, n)]
        found.append((folder, [n for n in names if n.lower().endswith(endings) and n[0] != "."]))
    return [
        os.path.relpath(path, directory)
        for folder, names in sorted(found)
        for path in (str(Path(folder, name)) for name in sorted(names))
        if os.path.isfile(path)
    ]


def _leads_back(folder: str, name: str) -> bool:
    """Whether a folder's entry is a link to that folder, or to one around it."""
    path = os.path.join(folder, name)
    if not os.path.islink(path):
        return False
    around = os.path.realpath(folder)
    return os.path.commonpath([around, os.path.realpath(path)]) == os.path.realpath(path)
