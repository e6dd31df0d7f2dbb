"""Where the weights of each layer lie in Keras's tree of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from numba_cnn.layers import Layer
from numba_cnn.session import snake_case


def groups_of(model: Layer, twice: bool = False) -> list[tuple[str, Layer]]:
    """Each layer, those of models inside too, with the path of its group, where it is met first.

    twice    whether what has weights counts twice among the layers of its class
    """
    groups: dict[int, tuple[str, Layer]] = {}
    for path, layer in _below(model, "", twice):
        groups.setdefault(id(layer), (path, layer))
    return list(groups.values())


def _below(layer: Layer, above: str, twice: bool) -> Iterator[tuple[str, Layer]]:
    """The layers inside by their paths: those with an underscore come last, else the alphabet decides."""
    parts = layer.saved_parts()
    for name in sorted(parts, key=lambda name: f"~{name}" if name[0] == "_" else name):
        yield from _at(f"{above}{name}", parts[name], twice)


def _at(path: str, part: Any, twice: bool) -> Iterator[tuple[str, Layer]]:
    """A layer, or those in a list, a tuple or a dict: these count classes, whatever the layers' names."""
    if isinstance(part, Layer):
        yield path, part
        yield from _below(part, f"{path}/", twice)
    elif isinstance(part, list | tuple | Mapping):
        seen: Counter[str] = Counter()
        for one in part.values() if isinstance(part, Mapping) else part:
            if isinstance(one, Layer | list | tuple | Mapping):
                name = snake_case(one.class_name) if isinstance(one, Layer) else "container"
                count = f"_{seen[name]}" if seen[name] else ""
                yield from _at(f"{path}/{name}{count}", one, twice)
                seen[name] += 2 if twice and isinstance(one, Layer) and one.weights else 1
