"""The description of a model in a file: JSON that may come from anywhere."""

from __future__ import annotations

import json
from typing import Any

MOST_BYTES = 4 * 2**20  # a layer takes about 1 KiB
_DEPTH = 128  # of values in values: a model inside of another takes 3, the time to build them grows by the cube
_VALUES = 2**17  # a layer has about 40, each of which may take 100 bytes of memory


def read(text: bytes, name: str) -> Any:
    """The description, known to be no larger and no deeper than those of models are; ValueError else."""
    values = sum(map(text.count, (b",", b"[", b"{")))
    if values > _VALUES:
        raise ValueError(f"{name} holds {values} values, of {_VALUES} at most")
    if len(text) > MOST_BYTES:
        raise ValueError(f"{name} holds {len(text)} bytes, of {MOST_BYTES} at most")
    found = json.loads(text)
    _check_depth(found, name)
    return found


def _check_depth(description: Any, name: str) -> None:
    """Refuse values within values that no model's description has."""
    level = [description]
    for _ in range(_DEPTH):
        dicts = [value for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        level = [inner for value in dicts for inner in value.values()]
        level += [inner for value in lists for inner in value]
        if not level:
            return
    raise ValueError(f"{name} holds values within values, more than {_DEPTH} levels deep")
