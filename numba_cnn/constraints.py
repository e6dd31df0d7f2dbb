"""Constraints: what weights are brought back to behind each step of the optimizer."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, axes, number

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

_EPSILON = 1e-7  # beside lengths that are divided by, as in Keras


class Constraint(Checked):
    """A function of weights: derived classes define projected(w), on NumPy arrays."""

    def __call__(self, w: Array) -> Array:
        """The weights as they are allowed; w stays as it is."""
        backend = backends.of(type(self).__name__, w=w)
        return backend.asarray(self._made(np.asarray(backend.to_numpy(backend.asarray(w)))))

    def projected(self, w: np.ndarray) -> np.ndarray:
        """What becomes of w."""
        raise NotImplementedError

    def _made(self, w: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.projected(w), w.dtype)

    def apply(self, backend: Any, w: Array) -> None:
        """Bring weights back in place, where their backend has them."""
        made = backend.asarray(self._made(np.asarray(backend.to_numpy(w))))
        backend.update(w, made, None, None, None, "blend", (0.0, 1.0))

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))


class _Lengths(Constraint):
    """Constraints of the lengths of vectors, which lie along `axis`."""

    _settings: ClassVar[Settings] = {"axis": axes}
    axis: Any

    def projected(self, w: np.ndarray) -> np.ndarray:
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        try:
            lengths = np.sqrt(np.square(w).sum(axis=axis, keepdims=True))
        except ValueError as error:  # of which NumPy has two kinds
            raise ValueError(
                f"{type(self).__name__}: axis must lie within the weight's axes. "
                f"Received: axis={self.axis} for a weight of shape {w.shape}"
            ) from error
        made: np.ndarray = w * (self.desired(lengths) / (w.dtype.type(_EPSILON) + lengths))
        return made

    def desired(self, lengths: np.ndarray) -> Any:
        """The lengths that vectors of these lengths get."""
        raise NotImplementedError


class MaxNorm(_Lengths):
    """No vector is longer than max_value."""

    _settings: ClassVar[Settings] = {"max_value": number(0)}

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def desired(self, lengths: np.ndarray) -> Any:
        return np.clip(lengths, 0, lengths.dtype.type(self.max_value))


class MinMaxNorm(_Lengths):
    """Vectors are brought the share `rate` of their way to a length between min_value and max_value."""

    _settings: ClassVar[Settings] = {
        "min_value": number(0),
        "max_value": number(0),
        "rate": number(0, 1),
    }

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def desired(self, lengths: np.ndarray) -> Any:
        kind = lengths.dtype.type
        inside = np.clip(lengths, kind(self.min_value), kind(self.max_value))
        return kind(self.rate) * inside + kind(1 - self.rate) * lengths


class UnitNorm(_Lengths):
    """Every vector has the length 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def desired(self, lengths: np.ndarray) -> Any:
        return lengths.dtype.type(1)


class NonNeg(Constraint):
    """No weight is below 0."""

    def projected(self, w: np.ndarray) -> np.ndarray:
        made: np.ndarray = np.maximum(w, 0)
        return made

    def apply(self, backend: Any, w: Array) -> None:
        backend.update(w, w, None, None, None, "clip", (0.0, float("inf")))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_NAMES: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}


@nearest.keywords
def get(identifier: Any) -> Constraint | None:
    """A constraint by name ("max_norm"), class, object or Keras configuration; None for None.

    Objects of classes derived from Constraint are taken too.
    """
    if identifier is None or isinstance(identifier, Constraint):
        return identifier
    constraint: Constraint = registry.get("constraint", identifier, _NAMES, Constraint)
    return constraint


serialize, deserialize = registry.both_ways("constraints", get)

__getattr__ = nearest.attributes(__name__, __all__)
