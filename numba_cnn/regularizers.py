"""Regularizers: what a loss grows by with the size of weights, or of what layers give."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Check, Checked, Settings, choice, number

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Checked):
    """A penalty of an array, and its gradient."""

    on_host: ClassVar[bool] = False  # whether it computes with NumPy, which no recording holds

    def __call__(self, x: Array) -> Array:
        """The penalty, an array of shape () where it was computed."""
        backend = backends.of(type(self).__name__, x=x)
        x = backend.asarray(x)
        total = backend.asarray(np.zeros((), x.dtype))
        self.add_value(backend, x, 1.0, total)
        return total

    def add_value(self, backend: Any, x: Array, factor: float, total: Array) -> None:
        """Add factor times the penalty of x to the total, in place."""
        raise NotImplementedError

    def add_gradient(self, backend: Any, x: Array, factor: float, dx: Array) -> None:
        """Add factor times the gradient with respect to x to dx, in place."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))


class _Norms(Regularizer):
    """l1 times the sum of sizes and l2 times that of squares."""

    _unexplained: ClassVar[tuple[str, ...]] = ("add_value", "add_gradient")

    def _factors(self) -> tuple[float, float]:
        return getattr(self, "l1", 0.0), getattr(self, "l2", 0.0)

    def add_value(self, backend: Any, x: Array, factor: float, total: Array) -> None:
        l1, l2 = self._factors()
        backend.add_norms(x, factor * l1, factor * l2, total)

    def add_gradient(self, backend: Any, x: Array, factor: float, dx: Array) -> None:
        l1, l2 = self._factors()
        constants = factor * l1, factor * 2 * l2
        backend.update(dx, x, None, None, None, "add_penalty", constants)


def _number_or(default: float) -> Check:
    """A number from 0; None means the default, as in Keras."""
    check = number(0)

    def check_or_default(owner: str, name: str, value: Any) -> float:
        found: float = default if value is None else check(owner, name, value)
        return found

    return check_or_default


class L1(_Norms):
    """l1 * sum of |x|."""

    _settings: ClassVar[Settings] = {"l1": _number_or(0.01)}

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = l1


class L2(_Norms):
    """l2 * sum of x^2."""

    _settings: ClassVar[Settings] = {"l2": _number_or(0.01)}

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = l2


class L1L2(_Norms):
    """l1 * sum of |x| + l2 * sum of x^2."""

    _settings: ClassVar[Settings] = {"l1": _number_or(0.0), "l2": _number_or(0.0)}

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1, self.l2 = l1, l2


class OrthogonalRegularizer(Regularizer):
    """factor * the mean size of the cosine between two rows, or columns, of a matrix."""

    on_host: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {"factor": number(0), "mode": choice("rows", "columns")}

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor, self.mode = factor, mode

    def _parts(self, backend: Any, x: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """(unit rows, their lengths, cosines, what the sum of sizes of cosines is multiplied by)."""
        if len(x.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer: x must be a matrix. Received: x of shape {x.shape}"
            )
        rows = np.asarray(backend.to_numpy(x))
        rows = rows if self.mode == "rows" else rows.T
        length = np.sqrt(np.maximum((rows * rows).sum(1, keepdims=True), 1e-12))
        unit = rows / length
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, 0)
        return unit, length, cosines, self.factor / max(len(rows) * (len(rows) - 1), 1)

    def add_value(self, backend: Any, x: Array, factor: float, total: Array) -> None:
        _, _, cosines, share = self._parts(backend, x)
        value = np.asarray(factor * share * np.abs(cosines).sum(), x.dtype)
        backend.update(total, backend.asarray(value), None, None, None, "blend", (1.0, 1.0))

    def add_gradient(self, backend: Any, x: Array, factor: float, dx: Array) -> None:
        unit, length, cosines, share = self._parts(backend, x)
        dunit = 2 * share * factor * (np.sign(cosines) @ unit)
        drows = (dunit - unit * (dunit * unit).sum(1, keepdims=True)) / length
        drows = np.ascontiguousarray(drows if self.mode == "rows" else drows.T, x.dtype)
        backend.update(dx, backend.asarray(drows), None, None, None, "blend", (1.0, 1.0))


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_NAMES: dict[str, type[Regularizer]] = {
    "l1": L1,
    "l2": L2,
    "l1l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


@nearest.keywords
def get(identifier: Any) -> Regularizer | None:
    """A regularizer by name ("l2"), class, object or Keras configuration; None for None."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier == "l1_l2":
        return L1L2(0.01, 0.01)
    regularizer: Regularizer = registry.get("regularizer", identifier, _NAMES, Regularizer)
    return regularizer


serialize, deserialize = registry.both_ways("regularizers", get)

__getattr__ = nearest.attributes(__name__, __all__)
