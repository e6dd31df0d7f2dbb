"""Activations as functions, for those who pass objects rather than names."""

from collections.abc import Callable
from typing import Any

from numba_cnn import nearest
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
        if identifier is function or (isinstance(identifier, str) and identifier == name):
            return name
    known = ", ".join(repr(name) for name in _FUNCTIONS)
    meant = nearest.hint(identifier, _FUNCTIONS, "activations")
    raise ValueError(
        f"activation: expected None or one of {known}{meant}. Received: {nearest.shown(identifier)}"
    )


__all__ = ["linear", "name_of", "relu", "softmax"]

__getattr__ = nearest.attributes(__name__, __all__)
