"""What layers return where they are called on the input of a model and not on numbers: the graph of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from numba_cnn.layers.layer import InputShape, Layer

_NO_NUMBERS = (
    "what a layer gives has no numbers before the model runs; layers take it, NumPy does not."
)


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

    def activated(self, activation: Any) -> Tensor:
        """What an Activation layer gives: the functions of activations are called on tensors, too."""
        from numba_cnn.layers.activation import Activation

        given: Tensor = Activation(activation)(self)
        return given

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(f"{_NO_NUMBERS} Received: {self!r}, given to NumPy")

    def __array_function__(self, function: Any, *arguments: Any) -> Any:
        raise TypeError(f"{_NO_NUMBERS} Received: {self!r}, given to {function.__name__}")

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
        self.traces: Any = None  # of a layer made of others, those that run, by whether it trains
        self.is_several = False  # whether the inputs were given one by one, and not as a list

    def arranged(self, inputs: Sequence[Any]) -> list[Any]:
        """The arguments of the call, of something for each input."""
        if self.is_several:
            return list(inputs)
        return [list(inputs) if self.layer.arity is None else inputs[0]]

    def shapes_for(self, inputs: Sequence[InputShape]) -> list[InputShape]:
        """The shapes of the outputs for inputs of other shapes."""
        if self.traces is not None:
            found: list[InputShape] = self.traces[False].shapes_for(inputs)
            return found
        shape: Any = list(inputs) if self.layer.arity is None else inputs[0]
        made: Any = self.layer.compute_output_shape(shape)
        return made if isinstance(made, list) else [made]

    def add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        """Have what is called run on those slots of a plan; the slots that are filled."""
        with steps.called(self.training):
            if self.traces is not None:
                filled: tuple[int, ...] = self.traces[steps.trains].add_steps(steps, slots)
                return filled
            return self.layer._add_steps(steps, slots)

    @property
    def output(self) -> Any:
        """The tensor that the layer gave, or a list of several."""
        return self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)


def is_keras_tensor(x: Any) -> bool:
    """Whether x is what Input(...), or a layer called on that, returned, and no array."""
    return isinstance(x, Tensor)


def tensors(inputs: Any) -> tuple[Tensor, ...] | None:
    """The tensors that a layer is called on, or None if it is called on numbers."""
    if isinstance(inputs, Tensor):
        return (inputs,)
    if isinstance(inputs, list | tuple) and inputs and all(isinstance(t, Tensor) for t in inputs):
        return tuple(inputs)
    return None


def tensors_in(value: Any) -> tuple[Tensor, ...]:
    """The tensors in a value, which may be one, or hold some in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return tuple(tensor for one in value for tensor in tensors_in(one))
    return ()


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """The value, with what the function makes of each tensor in its place."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {key: map_tensors(function, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [map_tensors(function, one) for one in value]
    return value


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
