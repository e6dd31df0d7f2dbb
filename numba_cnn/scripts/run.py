"""Runs a script in which keras means this library, and lists what it asks for that is not here."""

from __future__ import annotations

import ast
import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from numba_cnn.scripts import neighbours
from numba_cnn.scripts.absent import Imports
from numba_cnn.scripts.modules import as_keras

_ROOTS = "keras", "keras_preprocessing", "tensorflow", "tf_keras"


class Missing(NamedTuple):
    """A word that a script uses and that is not here."""

    line: int
    word: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.word}: {self.reason}"


def run(script: str, arguments: Sequence[str] = ()) -> None:
    """Run the script as Python does, with keras, tensorflow.keras and tf.keras from this library.

    What it, or a module beside it, imports of them and is not here may be imported, but not used.
    Raises whatever the script raises; FileNotFoundError if there is none.
    """
    path = Path(script)
    data = path.read_bytes()
    as_keras()
    main = ModuleType("__main__")
    main.__file__ = script
    before = sys.argv[:], sys.modules["__main__"]
    sys.argv[:], sys.modules["__main__"] = [script, *arguments], main
    try:
        with neighbours.of_folder(path.resolve().parent, _compiled):
            exec(_compiled(data, script), main.__dict__)
    finally:
        sys.argv[:], sys.modules["__main__"] = before


def _compiled(data: bytes, path: str) -> CodeType:
    """A file's code, in which what is not here may be imported."""
    tree = Imports(_ROOTS, _why_missing).visit(ast.parse(data, path))
    return compile(tree, path, "exec", dont_inherit=True)


def _why_missing(word: str) -> str | None:
    """Why a word is not here; None where it is."""
    found: dict[str, Missing] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _note(found, 0, word)
    return next((missing.reason for missing in found.values()), None)


def missing_words(script: str) -> list[Missing]:
    """The words of Keras, and of TensorFlow where none is installed, that a script names and that are not here.

    They are read from the script's syntax; as_keras() has been called.
    """
    tree = ast.parse(Path(script).read_bytes(), script)
    known: dict[
        str, str
    ] = {}  # names of the script, and the module or the word that each stands for
    found: dict[str, Missing] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old words: the script's run has them
        for node in ast.walk(tree):
            for line, word in _imported(node, known):
                _note(found, line, word)
        for node in ast.walk(tree):
            used = _dotted(node, known)
            if used is not None:
                _note(found, getattr(node, "lineno", 0), used)
    return sorted(found.values())


def _imported(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[int, str]]:
    """The words that an import names; noted under the names that they have in the script."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] in _ROOTS:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level or module.partition(".")[0] not in _ROOTS:
            return
        for alias in node.names:
            if alias.name != "*":
                known[alias.asname or alias.name] = f"{module}.{alias.name}"
            yield node.lineno, module if alias.name == "*" else f"{module}.{alias.name}"


def _dotted(node: ast.AST, known: dict[str, str]) -> str | None:
    """The whole word of an attribute such as keras.layers.Dense, or None."""
    parts: list[str] = []
    if not isinstance(node, ast.Attribute):
        return None
    below: ast.AST = node
    while isinstance(below, ast.Attribute):
        parts.insert(0, below.attr)
        below = below.value
    if not isinstance(below, ast.Name) or below.id not in known:
        return None
    return ".".join([known[below.id], *parts])


def _note(found: dict[str, Missing], line: int, word: str) -> None:
    """Remember the first name in a word that leads nowhere."""
    parts = word.split(".")
    value: Any = None
    for i, part in enumerate(parts):
        name = ".".join(parts[: i + 1])
        try:
            value = import_module(part) if i == 0 else _below(value, name, part)
        except (AttributeError, ImportError) as error:
            if name not in found or line < found[name].line:
                found[name] = Missing(line, name, str(error))
            return
        if isinstance(value, type) or not hasattr(value, "__dict__"):
            return  # a class's or a constant's own attributes are Python's affair


def _below(value: Any, name: str, part: str) -> Any:
    """What a name such as keras.layers.merge means: an old path before this library's own file of that name."""
    is_module = isinstance(value, ModuleType)
    found = getattr(value, part, None)
    if is_module and (found is None or isinstance(found, ModuleType)):
        with contextlib.suppress(ImportError):
            return import_module(name)
    return getattr(value, part)
