"""Which files of a folder count."""

from __future__ import annotations

import os
from pathlib import Path

from numba_cnn import nearest


def checked(op: str, directory: str | os.PathLike[str]) -> str:
    """The path of a folder that is there; else TypeError, FileNotFoundError or NotADirectoryError."""
    if not isinstance(directory, str | os.PathLike) or not os.fspath(directory):
        raise TypeError(f"{op}: directory must be a path. Received: {nearest.shown(directory)}")
    os.scandir(directory).close()
    return os.fspath(directory)


def classes(directory: str) -> list[str]:
    """The names of the folders in a folder, in order; without what systems hide."""
    return sorted(
        entry.name
        for entry in os.scandir(directory)
        if entry.is_dir() and not entry.name.startswith(".")
    )


def files_below(directory: str, endings: tuple[str, ...], follow_links: bool = False) -> list[str]:
    """The files with these endings, in capitals too, in a folder and those below, as paths from there: the folders in
    their order, and the files in each; neither what is hidden nor what is no regular file."""
    found: list[tuple[str, list[str]]] = []
    for folder, inner, names in os.walk(directory, followlinks=follow_links):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found.append((folder, [n for n in names if n.lower().endswith(endings) and n[0] != "."]))
    return [
        os.path.relpath(path, directory)
        for folder, names in sorted(found)
        for path in (str(Path(folder, name)) for name in sorted(names))
        if os.path.isfile(path)
    ]
