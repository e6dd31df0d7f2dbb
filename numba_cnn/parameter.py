"""Weights: what layers make, backward passes fill with gradients, and optimizers change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from numba_cnn import session
from numba_cnn.initializers import Initializer
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape


class Parameter:
    """A weight: its value on the model's backend, and the gradient of the last backward pass.

    The value is drawn when it is first asked for: a model whose weights are loaded draws nothing.
    """

    def __init__(self, name: str, path: str, shape: Shape, initializer: Initializer) -> None:
        self.name, self.path, self.shape = name, path, shape
        self.gradient: Array | None = None
        self._initializer = initializer
        self._value: Array | None = None
        self._backend: Any = None  # None: a NumPy array

    @property
    def value(self) -> Array:
        if self._value is None:
            self.value = self._initializer(self.shape)
        return self._value

    @value.setter
    def value(self, value: np.ndarray) -> None:
        self._value = value if self._backend is None else self._backend.asarray(value)
        session.note_change()

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32 if self._value is None else self._value.dtype)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def numpy(self) -> np.ndarray:
        """A copy of the value on the host."""
        value = self.value
        return np.array(value if self._backend is None else self._backend.to_numpy(value))

    def assign(self, value: Any) -> None:
        """Take over the numbers of an array of the same shape."""
        value = np.array(value, self.dtype, order="C")
        if value.shape != self.shape:
            raise ValueError(
                f"{self.path}: expected an array of shape {self.shape}. Received: {value.shape}"
            )
        self.value = value

    def move(self, backend: Any) -> None:
        """Bring the value to a backend, where it also stays from now on."""
        if self._backend is not backend:
            host = None if self._value is None else self.numpy()
            self._backend = backend
            if host is not None:
                self.value = host

    def __repr__(self) -> str:
        return f"<Parameter {self.path}, shape={self.shape}, dtype={self.dtype}>"


def assign(owner: str, parameters: Sequence[Parameter], weights: Sequence[Any]) -> None:
    """Give each parameter its array, after all shapes are known to agree."""
    expected = [parameter.shape for parameter in parameters]
    received = [np.shape(weight) for weight in weights]
    if expected != received:
        raise ValueError(
            f"{owner}: expected {len(expected)} weights of shapes {expected}. Received: {received}"
        )
    for parameter, weight in zip(parameters, weights, strict=True):
        parameter.assign(weight)
