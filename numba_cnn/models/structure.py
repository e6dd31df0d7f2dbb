"""Which array goes to which input or output of a model, from a list or a dict of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from numba_cnn import nearest

Names = Sequence[str]


def arrays(
    op: str, what: str, given: Any, names: Names, is_whole: Callable[[np.ndarray], bool]
) -> list[Any]:
    """What was given for each name.

    One may be given alone. In a list of one array, for one name, the array may also be a part of what is meant:
    is_whole tells.
    """
    if isinstance(given, Mapping):
        return _by_name(op, what, given, names)
    if len(names) > 1:
        return _in_turn(op, what, given, names)
    alone = _alone(given)
    return [given if alone is None or not is_whole(alone) else alone]


def _alone(given: Any) -> np.ndarray | None:
    """The array in a list of one, or in a list of that."""
    while isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    return given if isinstance(given, np.ndarray) else None


def weights(op: str, given: Any, names: Names) -> list[Any]:
    """The weights of the samples for each output; one array is for all."""
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping):
        return _by_name(op, "sample_weight", {**dict.fromkeys(names), **given}, names)
    if len(names) > 1 and isinstance(given, list | tuple):
        return _in_turn(op, "sample_weight", given, names)
    return [given] * len(names)


def _by_name(op: str, what: str, given: Mapping[str, Any], names: Names) -> list[Any]:
    if set(given) != set(names):
        raise ValueError(
            f"{op}: {what} must be an array for each of {', '.join(names)}. "
            f"Received: {', '.join(map(str, given)) or 'none'}"
        )
    return [given[name] for name in names]


def _in_turn(op: str, what: str, given: Any, names: Names) -> list[Any]:
    if not isinstance(given, list | tuple) or len(given) != len(names):
        received = nearest.shown(given)
        if isinstance(given, list | tuple):
            received = f"{len(given)} of them"
        raise ValueError(
            f"{op}: {what} must be a list of {len(names)} arrays, for {', '.join(names)}, or a dict by these names. "
            f"Received: {received}"
        )
    return list(given)


def one_or_all(items: Sequence[Any]) -> Any:
    """What stands for all of them: a single one by itself."""
    return items[0] if len(items) == 1 else list(items)
