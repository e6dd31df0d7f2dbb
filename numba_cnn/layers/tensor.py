"""What layers return where they are called on the input of a model and not on numbers: the graph of the model."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from numba_cnn.layers.layer import InputShape, Layer


class Tensor:
    """A value that a model will compute: its shape, the batch as None, and the call of a layer that gives it."""

    dtype = "float32"
    __array_ufunc__ = None  # NumPy's arrays and scalars leave operators to the tensor

    def __init__(self, shape: InputShape, node: Node, index: int) -> None:
        self.shape, self.node, self.index = shape, node, index

    @property
    def name(self) -> str:
        return self.node.layer.name

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __add__(self, other: Any) -> Tensor:
        return _merged("Add", self, other) or _scaled(self, 1, other)

    def __sub__(self, other: Any) -> Tensor:
        return _merged("Subtract", self, other) or _scaled(self, 1, other, sign=-1)

    def __mul__(self, other: Any) -> Tensor:
        return _merged("Multiply", self, other) or _scaled(self, other, 0)

    def __rsub__(self, other: Any) -> Tensor:
        return _scaled(self, -1, other)

    def __truediv__(self, other: Any) -> Tensor:
        return _scaled(self, 1 / other, 0) if isinstance(other, Real) else NotImplemented

    def __neg__(self) -> Tensor:
        return _scaled(self, -1, 0)

    __radd__, __rmul__ = __add__, __mul__

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, from {self.name}>"


class Node:
    """A call of a layer: what it was called on, whether with training=, and what it gave."""

    def __init__(
        self,
        layer: Layer,
        inputs: tuple[Tensor, ...],
        shapes: Sequence[InputShape],
        training: bool | None = None,
    ) -> None:
        self.layer, self.inputs, self.training = layer, inputs, training
        self.outputs = tuple(Tensor(shape, self, i) for i, shape in enumerate(shapes))

    @property
    def output(self) -> Any:
        """The tensor that the layer gave, or a list of several."""
        return self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)


def tensors(inputs: Any) -> tuple[Tensor, ...] | None:
    """The tensors that a layer is called on, or None if it is called on numbers."""
    if isinstance(inputs, Tensor):
        return (inputs,)
    if isinstance(inputs, list | tuple) and inputs and all(isinstance(t, Tensor) for t in inputs):
        return tuple(inputs)
    return None


def _merged(name: str, one: Tensor, other: Any) -> Tensor | None:
    """What a merging layer gives; None where the other one is a number, or something else."""
    if not isinstance(other, Tensor):
        return None
    from numba_cnn.layers import merging

    merged: Tensor = getattr(merging, name)()([one, other])
    return merged


def _scaled(one: Tensor, scale: Any, offset: Any, sign: int = 1) -> Tensor:
    """one * scale + sign * offset, by a layer."""
    if not isinstance(scale, Real) or not isinstance(offset, Real):
        return cast(Tensor, NotImplemented)
    scale, offset = float(scale), float(offset)
    from numba_cnn.layers.rescaling import Rescaling

    scaled: Tensor = Rescaling(scale, sign * offset)(one)
    return scaled
