"""Axes of layers' inputs, and inputs turned so that some axes lie last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba_cnn import ops
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array

Turn = Callable[[Array], Array]


def of_shape(name: str, axis: Any, input_shape: InputShape, word: str = "axis") -> list[int]:
    """The axes counted from the first, in their order; ValueError for one that the inputs do not have."""
    rank = len(input_shape)
    given = axis if isinstance(axis, list | tuple) else [axis]
    found = sorted({a % rank for a in given if -rank <= a < rank})
    if len(found) != len(given) or 0 in found:
        raise ValueError(
            f"{name}: {word} must name axes of the inputs, each once, and not that of the batch. "
            f"Received: {word} {axis} for inputs {input_shape}"
        )
    return found


def turns(rank: int, along: list[int]) -> tuple[Turn, Turn]:
    """What brings those axes of an array behind the others, and what brings them back."""
    order = [axis for axis in range(rank) if axis not in along] + along
    back = [order.index(axis) for axis in range(rank)]
    if order == back == list(range(rank)):
        return (lambda x: x), (lambda x: x)
    return (lambda x: ops.permute(x, order)), (lambda x: ops.permute(x, back))
