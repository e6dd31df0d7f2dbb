"""Activations as functions, for those who pass objects rather than names."""

from collections.abc import Callable
from typing import Any

from numba_cnn.ops import Array, relu, softmax


def linear(x: Array) -> Array:
    """x itself."""
    return x


_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": linear,
    "relu": relu,
    "softmax": softmax,
}


def name_of(identifier: Any) -> str:
    """Which of "linear", "relu", "softmax" is meant: by None, a name or a function; or ValueError."""
    if identifier is None:
        return "linear"
    for name, function in _FUNCTIONS.items():
        if identifier == name or identifier is function:
            return name
    known = ", ".join(repr(name) for name in _FUNCTIONS)
    raise ValueError(f"activation: expected None or one of {known}. Received: {identifier!r}")


__all__ = ["linear", "name_of", "relu", "softmax"]
