"""Products of the vectors of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from numba_cnn import nearest, ops
from numba_cnn.layers.axes import of_shape, turns
from numba_cnn.layers.layer import InputShape
from numba_cnn.layers.merging import Merge, MergeBackward
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, axes, flag

_LEAST_LENGTH = 1e-7


def _one_or_two(owner: str, name: str, value: Any) -> Any:
    found = axes(owner, name, value)
    if isinstance(found, list) and len(found) != 2:
        raise ValueError(
            f"{owner}: {name} must be an integer or two of them. Received: {nearest.shown(value)}"
        )
    return found


class Dot(Merge):
    """The products of two inputs, sample by sample, summed along an axis of each: (N, I, K) and (N, J, K) to (N, I, J).

    axes         the axis of both, or (that of the first, that of the second)
    normalize    whether the vectors are brought to length 1 first
    """

    _settings: ClassVar[Settings] = {"axes": _one_or_two, "normalize": flag}

    def __init__(self, axes: Any, normalize: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.axes, self.normalize = axes, normalize

    def compute_output_shape(self, input_shape: Any) -> InputShape:
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError(
                f"{self.name}: the layer takes a list of two inputs. Received: {input_shape}"
            )
        first, second = input_shape
        along = self._axes(first, second)
        lengths = first[along[0]], second[along[1]]
        if lengths[0] != lengths[1] or None in lengths:
            raise ValueError(
                f"{self.name}: the inputs must have one known extent along axes. "
                f"Received: axes {self.axes} for inputs {first} and {second}"
            )
        rest = [
            n
            for shape, axis in zip((first, second), along, strict=True)
            for n in (*shape[1:axis], *shape[axis + 1 :])
        ]
        return None, *(rest or [1])

    def _axes(self, first: InputShape, second: InputShape) -> tuple[int, int]:
        a, b = self.axes if isinstance(self.axes, list) else (self.axes, self.axes)
        (found_a,) = of_shape(self.name, a, first, "axes")
        (found_b,) = of_shape(self.name, b, second, "axes")
        return found_a, found_b

    def forward(self, *xs: Array) -> tuple[Array, MergeBackward]:
        along = self._axes(xs[0].shape, xs[1].shape)
        sides = [_Side(x, axis, self.normalize) for x, axis in zip(xs, along, strict=True)]
        a, b = (side.rows for side in sides)
        products = ops.batch_dot(a, b)

        def backward(dy: Array, need: Sequence[bool]) -> list[Array | None]:
            gradients = ops.batch_dot_backward(dy.reshape(products.shape), a, b)
            return [
                side.gradient(drows) if needed else None
                for side, drows, needed in zip(sides, gradients, need, strict=True)
            ]

        shape = self.compute_output_shape([(None, *x.shape[1:]) for x in xs])
        return products.reshape(products.shape[0], *shape[1:]), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


class _Side:
    """An input as rows (N, I, K), and the way of their gradient back."""

    def __init__(self, x: Array, axis: int, normalize: bool) -> None:
        there, self._back = turns(len(x.shape), [axis])
        turned = there(x)
        self._shape, self._inverse = turned.shape, None
        self.rows = turned.reshape(x.shape[0], -1, x.shape[axis])
        if normalize:
            self.rows, self._inverse = ops.unit_norm(self.rows, _LEAST_LENGTH)

    def gradient(self, drows: Array) -> Array:
        if self._inverse is not None:
            drows = ops.unit_norm_backward(drows, self.rows, self._inverse, _LEAST_LENGTH)
        return self._back(drows.reshape(self._shape))


def dot(inputs: Any, axes: Any = -1, normalize: bool = False) -> Any:
    """Dot(axes, normalize)(inputs)."""
    return Dot(axes, normalize)(inputs)
