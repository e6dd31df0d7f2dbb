"""Modules beside a script: they may import words that are not here, as the script may."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

Compile = Callable[[bytes, str], CodeType]


@contextmanager
def of_folder(folder: Path, compiled: Compile) -> Iterator[None]:
    """Meanwhile modules and packages of the folder are found first, and are what `compiled` makes of their source."""
    finder, path = _Finder(str(folder), compiled), sys.path[:]
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(sys.meta_path.index(PathFinder), finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.path[:] = path


class _Finder(MetaPathFinder):
    def __init__(self, folder: str, compiled: Compile) -> None:
        class Loader(SourceFileLoader):
            def source_to_code(  # type: ignore[override]
                self, data: bytes, path: str, **settings: Any
            ) -> CodeType:
                return compiled(data, path)

            def path_stats(self, path: Any) -> Any:
                raise OSError("no code is kept: Python's own is another")

        self._folder, self._loader = folder, Loader
        self._found: set[str] = set()  # modules and packages of the folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None and fullname.partition(".")[0] not in self._found:
            return None
        for entry in [self._folder] if path is None else path:
            spec = FileFinder(entry, (self._loader, [".py"])).find_spec(fullname)
            if spec is not None:
                self._found.add(fullname.partition(".")[0])
                return spec if spec.loader is not None else None  # of a folder without __init__.py
        return None
