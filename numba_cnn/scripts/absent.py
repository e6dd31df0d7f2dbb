"""Words that a script imports and that are not here: many scripts never use them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NoReturn


class Absent:
    """What stands in a script for an imported word that is not here: whoever uses it learns that."""

    def __init__(self, word: str, reason: str) -> None:
        self._word, self._reason = word, reason

    def __call__(self, *arguments: Any, **settings: Any) -> NoReturn:
        raise ImportError(self._reason)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(self._reason)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        raise ImportError(self._reason)

    def __repr__(self) -> str:
        return f"<{self._word}, which is not here>"


class Imports(ast.NodeTransformer):
    """Exchanges imports of what is not here; not in a try, which has its own way out.

    reason(word) says why a word such as keras.layers.Lambda is not here, or None where it is.
    """

    def __init__(self, roots: tuple[str, ...], reason: Callable[[str], str | None]) -> None:
        self._roots, self._reason = roots, reason

    def visit_Try(self, node: ast.Try) -> ast.Try:
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        module = node.module or ""
        if node.level or module.partition(".")[0] not in self._roots:
            return node
        kept, absent = [], []
        for alias in node.names:
            word = module if alias.name == "*" else f"{module}.{alias.name}"
            reason = self._reason(word)
            if reason is None or alias.name == "*":
                kept.append(alias)
                continue
            source = f"__import__({__name__!r}, fromlist=['Absent']).Absent({word!r}, {reason!r})"
            absent += ast.parse(f"{alias.asname or alias.name} = {source}").body
        for made in absent:
            for part in ast.walk(made):
                ast.copy_location(part, node)
        node.names = kept
        return [node, *absent] if kept else absent
