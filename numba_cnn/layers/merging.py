"""Layers that make one array of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from numba_cnn import ops
from numba_cnn.layers.layer import InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, integer

MergeBackward = Callable[[Array, Sequence[bool]], Sequence[Array | None]]


class Merge(Layer):
    """A layer with a list of inputs; backward(dy, need) returns a gradient for each, or None."""

    arity = None
    shows_unbuilt = True

    def build(self, input_shape: Any) -> None:
        self.output_shape = self.compute_output_shape(input_shape)
        self.input_shape = input_shape

    def compute_output_shape(self, input_shape: Any) -> InputShape:
        shapes = _shapes(self.name, input_shape)
        ranks = {len(shape) for shape in shapes}
        if len(ranks) > 1:
            raise ValueError(
                f"{self.name}: the inputs must have as many axes as one another. Received: {shapes}"
            )
        return tuple(self._joined(shapes, axis) for axis in range(ranks.pop()))

    def _joined(self, shapes: list[InputShape], axis: int) -> int | None:
        """The extent that the inputs have in common; one that is 1 is repeated, one that is not known may be any."""
        if any(shape[axis] is None for shape in shapes):
            return None
        extents = {shape[axis] for shape in shapes} - {1}
        if len(extents) > 1:
            raise ValueError(
                f"{self.name}: the inputs' shapes do not fit together. Received: {shapes}"
            )
        return extents.pop() if extents else 1

    def forward(self, *xs: Array) -> tuple[Array, MergeBackward]:
        raise NotImplementedError

    def call(self, *xs: Array) -> Array:
        return self.forward(*xs)[0]


class _Pairwise(Merge):
    """A merge that takes its inputs one after the other."""

    def forward(self, *xs: Array) -> tuple[Array, MergeBackward]:
        values, steps = xs[0], []
        for x in xs[1:]:
            steps.append((values, x))
            values = self._pair(values, x)

        def backward(dy: Array, need: Sequence[bool]) -> list[Array | None]:
            gradients: list[Array | None] = []
            for one, other in reversed(steps):
                dy, dother = self._pair_backward(dy, one, other)
                gradients.append(dother)
            gradients.append(dy)
            return [
                dx if needed else None for dx, needed in zip(gradients[::-1], need, strict=True)
            ]

        return values, backward

    def _pair(self, a: Array, b: Array) -> Array:
        raise NotImplementedError

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        raise NotImplementedError


class Add(_Pairwise):
    """The sum of the inputs."""

    def _pair(self, a: Array, b: Array) -> Array:
        return ops.add(a, b)

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return ops.add_backward(dy, a.shape, b.shape)


class Average(Add):
    """The mean of the inputs."""

    def forward(self, *xs: Array) -> tuple[Array, MergeBackward]:
        total, sum_backward = super().forward(*xs)
        factor = {"scale": 1 / len(xs)}
        y = ops.activate(total, "affine", **factor)

        def backward(dy: Array, need: Sequence[bool]) -> Sequence[Array | None]:
            return sum_backward(ops.activate_backward(dy, y, "affine", **factor), need)

        return y, backward


class Subtract(_Pairwise):
    """The first of two inputs minus the second."""

    def _pair(self, a: Array, b: Array) -> Array:
        return ops.subtract(a, b)

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return ops.subtract_backward(dy, a.shape, b.shape)


class Multiply(_Pairwise):
    """The product of the inputs, element by element."""

    def _pair(self, a: Array, b: Array) -> Array:
        return ops.multiply(a, b)

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return ops.multiply_backward(dy, a, b)


class Maximum(_Pairwise):
    """The largest of the inputs, element by element."""

    def _pair(self, a: Array, b: Array) -> Array:
        return ops.maximum(a, b)

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return ops.maximum_backward(dy, a, b)


class Minimum(_Pairwise):
    """The smallest of the inputs, element by element."""

    def _pair(self, a: Array, b: Array) -> Array:
        return ops.minimum(a, b)

    def _pair_backward(self, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return ops.minimum_backward(dy, a, b)


class Concatenate(Merge):
    """The inputs after one another along an axis."""

    _settings: ClassVar[Settings] = {"axis": integer(-4)}

    def __init__(self, axis: int = -1, **settings: Any) -> None:
        super().__init__(**settings)
        self.axis = axis

    def _joined(self, shapes: list[InputShape], axis: int) -> int | None:
        extents = [shape[axis] for shape in shapes]
        if axis == self.axis % len(shapes[0]):
            known = [n for n in extents if n is not None]
            return sum(known) if len(known) == len(extents) else None
        if None in extents:
            return None
        if len(set(extents)) > 1:
            raise ValueError(
                f"{self.name}: all axes but axis {self.axis} must have equal extents. Received: {shapes}"
            )
        return extents[0]

    def forward(self, *xs: Array) -> tuple[Array, MergeBackward]:
        axis = self.axis % len(xs[0].shape)
        sizes = [x.shape[axis] for x in xs]

        def backward(dy: Array, need: Sequence[bool]) -> list[Array | None]:
            parts = ops.split(dy, sizes, axis)
            return [dx if needed else None for dx, needed in zip(parts, need, strict=True)]

        return ops.concatenate(list(xs), axis), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def _shapes(name: str, input_shape: Any) -> list[InputShape]:
    if not isinstance(input_shape, list) or len(input_shape) < 2:
        raise ValueError(
            f"{name}: the layer takes a list of two inputs or more. Received: {input_shape}"
        )
    return input_shape


def add(inputs: Any) -> Any:
    """Add()(inputs)."""
    return Add()(inputs)


def subtract(inputs: Any) -> Any:
    """Subtract()(inputs)."""
    return Subtract()(inputs)


def multiply(inputs: Any) -> Any:
    """Multiply()(inputs)."""
    return Multiply()(inputs)


def average(inputs: Any) -> Any:
    """Average()(inputs)."""
    return Average()(inputs)


def maximum(inputs: Any) -> Any:
    """Maximum()(inputs)."""
    return Maximum()(inputs)


def minimum(inputs: Any) -> Any:
    """Minimum()(inputs)."""
    return Minimum()(inputs)


def concatenate(inputs: Any, axis: int = -1) -> Any:
    """Concatenate(axis)(inputs)."""
    return Concatenate(axis)(inputs)
