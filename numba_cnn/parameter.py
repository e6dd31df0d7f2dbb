"""Weights: what layers make, backward passes fill with gradients, and optimizers change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numba_cnn import copies, ops, session
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape


class Parameter:
    """A weight: its value on the model's backend, and the gradient of the last backward pass.

    The value is drawn when it is first asked for: a model whose weights are loaded draws nothing.
    """

    def __init__(
        self,
        name: str,
        path: str,
        shape: Shape,
        initializer: Callable[[Shape], np.ndarray],
        trainable: bool = True,
    ) -> None:
        self.name, self.path, self.shape, self.trainable = name, path, shape, trainable
        self.gradient: Array | None = None
        self.regularizer: Any = None  # of regularizers: what the loss grows by
        self.constraint: Any = None  # of constraints: applied behind each update
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

    def add_gradient(self, gradient: Array) -> None:
        """Keep the gradient of a pass, or add that of a second use of the layer in the same pass."""
        if self.gradient is not None:
            gradient = ops.add(self.gradient, gradient)
        self.gradient = gradient

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

    def assign(self, value: Any) -> Array:
        """Take over the numbers of an array of the same shape, and return them; ValueError for others, and for NaN and
        infinity.
        """
        self.value = self.checked(value)
        return self.value

    def assign_add(self, value: Any) -> Array:
        """Add an array of the same shape, or a number."""
        return self.assign(self.numpy() + np.asarray(value))

    def assign_sub(self, value: Any) -> Array:
        """Subtract an array of the same shape, or a number."""
        return self.assign(self.numpy() - np.asarray(value))

    def __getitem__(self, place: Any) -> Any:
        """A part of the value, on the host."""
        return self.numpy()[place]

    def __neg__(self) -> np.ndarray:
        negative: np.ndarray = -self.numpy()
        return negative

    def __abs__(self) -> np.ndarray:
        size: np.ndarray = np.abs(self.numpy())
        return size

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The value on the host, which NumPy's functions take."""
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def checked(self, value: Any) -> np.ndarray:
        """The numbers as a new array of the weight's shape and dtype, known to be finite."""
        try:
            given: np.ndarray = np.asarray(value)
        except (TypeError, ValueError) as error:  # lists of several lengths
            raise ValueError(f"{self.path}: expected an array. Received: {error}") from error
        if given.dtype.kind not in "fiub":
            raise ValueError(
                f"{self.path}: expected an array of real numbers. Received: dtype {given.dtype}"
            )
        if given.shape != self.shape:
            raise ValueError(
                f"{self.path}: expected an array of shape {self.shape}. Received: {given.shape}"
            )
        with np.errstate(over="ignore"):
            taken: np.ndarray = np.array(given, self.dtype, order="C")
        finite = np.isfinite(taken)
        if not finite.all():
            raise ValueError(
                f"{self.path}: weights must be finite, as {self.dtype}. Received: {given[~finite][0]}"
            )
        return taken

    def move(self, backend: Any) -> None:
        """Bring the value to a backend, where it also stays from now on."""
        if self._backend is not backend:
            host = None if self._value is None else self.numpy()
            self._backend = backend
            if host is not None:
                self.value = host

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the gradient, the value on the host."""
        value = None if self._value is None else self.numpy()
        kept = {"gradient": None, "_value": value, "_backend": copies.name_of(self._backend)}
        return {**vars(self), **kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _backend=None)
        backend = copies.restored(state["_backend"])
        if backend is not None:
            self.move(backend)

    def __repr__(self) -> str:
        return f"<Parameter {self.path}, shape={self.shape}, dtype={self.dtype}>"


def assign(owner: str, parameters: Sequence[Parameter], weights: Sequence[Any]) -> None:
    """Give each parameter its array, after all of them are known to fit."""
    expected = [parameter.shape for parameter in parameters]
    if not isinstance(weights, Sequence | np.ndarray) or isinstance(weights, str | bytes):
        raise ValueError(
            f"{owner}: weights must be a list of {len(expected)} arrays. Received: {weights!r:.80}"
        )
    received = [_shape(weight) for weight in weights]
    if expected != received:
        raise ValueError(
            f"{owner}: expected {len(expected)} weights of shapes {expected}. Received: {received}"
        )
    arrays = [p.checked(weight) for p, weight in zip(parameters, weights, strict=True)]
    for parameter, array in zip(parameters, arrays, strict=True):
        parameter.value = array


def _shape(weight: Any) -> Any:
    """The shape of what is given for a weight, or what it is if it has none."""
    try:
        return np.shape(weight)
    except (TypeError, ValueError):
        return f"{weight!r:.80}"


def _operator(name: str) -> Callable[[Parameter, Any], Any]:
    """NumPy's operator of that name, on the value."""

    def operate(parameter: Parameter, other: Any) -> Any:
        return getattr(parameter.numpy(), name)(np.asarray(other))

    return operate


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    for _side in ("", "r"):
        setattr(Parameter, f"__{_side}{_name}__", _operator(f"__{_side}{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Parameter, f"__{_name}__", _operator(f"__{_name}__"))
