"""Layers of the user's own that are made of layers: a call() that calls others, which run in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from numba_cnn import nearest
from numba_cnn.layers import tracing
from numba_cnn.layers.container import Container
from numba_cnn.layers.input_layer import InputLayer
from numba_cnn.layers.layer import Layer, check_batch, with_batch
from numba_cnn.layers.tensor import Node, Tensor, map_tensors, tensors_in
from numba_cnn.layers.tracing import Trace
from numba_cnn.parameter import Parameter

INTERNAL = (
    "_made_with",
    "_nodes",
    "_layers",
    "_kept",
    "_traces",
)  # attributes that no class of the user's sets


class Composed(Container):
    """What a class derived from Layer is that defines call() and no forward().

    call() is run on tensors, once for training and once for inference: it may loop, and ask `if training`, but not what
    numbers the tensors hold. Layers are those in attributes, alone or in lists, tuples and dicts.
    """

    arity = None
    shows_unbuilt = True
    is_composed: ClassVar[bool] = True

    @property
    def inner_layers(self) -> list[Layer]:
        return layers_of(self)

    def saved_parts(self) -> Mapping[str, Any]:
        return attributes_of(self)

    @Container.weights.setter  # type: ignore[attr-defined, untyped-decorator]
    def weights(self, value: list[Parameter]) -> None:
        """The layers inside have them."""

    @property
    def built(self) -> bool:
        return self.output_shape is not None

    @built.setter
    def built(self, value: bool) -> None:
        """A build() of the user's own may say so; here it is so when call() has been called."""

    def _set_paths(self, above: str) -> None:
        for layer in self.inner_layers:
            layer._set_paths(f"{above}/{self.name}")

    def build(self, input_shape: Any) -> None:
        """Make what call() needs: classes that define it make layers here; by itself it does nothing."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output, the batch as None, or a list of them."""
        single = not isinstance(input_shape, list)
        starts = [_start(shape) for shape in ([input_shape] if single else input_shape)]
        shapes = [
            end.shape for end in self._traces_of((starts[0] if single else starts,))[False].ends
        ]
        return shapes[0] if len(shapes) == 1 else shapes

    def __call__(self, *inputs: Any, training: bool | None = None, **arguments: Any) -> Any:
        """What call() gives, for tensors or arrays; classes whose call() takes several are called on several."""
        given = tensors_in((inputs, arguments))
        if not given:
            return self._on_arrays(inputs, arguments, training)
        self._make([tensor.shape for tensor in given])
        if tracing.mode() is None:
            return self._in_a_model(given, inputs, arguments, training)
        with tracing.called(training):  # the layers inside are those of the class that calls
            return self._noted(self._run(inputs, arguments, tracing.mode()))

    def _connected(self, inputs: tuple[Tensor, ...], training: bool | None = None) -> Any:
        return self(inputs[0] if len(inputs) == 1 else list(inputs), training=training)

    def _in_a_model(
        self,
        given: tuple[Tensor, ...],
        inputs: Sequence[Any],
        arguments: Mapping[str, Any],
        training: bool | None,
    ) -> Any:
        """A call between the layers of a model, which holds the traces of that call."""
        several = all(isinstance(one, Tensor) for one in inputs)
        if arguments or not (several or (len(inputs) == 1 and isinstance(inputs[0], list | tuple))):
            raise TypeError(
                f"{self.name}: between the layers of a Model it is called on tensors, or on a list of them. "
                f"Received: {nearest.shown([*inputs, *arguments.items()])}"
            )
        traces = self._traces_of(inputs)
        node = Node(self, given, [end.shape for end in traces[False].ends], training)
        node.traces, node.is_several = traces, several
        self._nodes.append(node)
        keys = traces[False].keys
        self._noted(node.output)
        return node.output if keys is None else dict(zip(keys, node.outputs, strict=True))

    def _traces_of(self, inputs: Sequence[Any]) -> dict[bool, Trace]:
        """What call() does with such inputs."""
        starts: list[Tensor] = []

        def start(tensor: Tensor) -> Tensor:
            starts.append(_start(tensor.shape))
            return starts[-1]

        inner = map_tensors(start, inputs)
        return tracing.both(self.name, lambda training: self._run(inner, {}, training), starts)

    def _run(
        self, inputs: Sequence[Any], arguments: Mapping[str, Any], training: bool | None
    ) -> Any:
        """call(), told whether it trains if it asks."""
        told = {"training": training} if tracing.takes_training(self.call) else {}
        call: Any = self.call
        return call(*inputs, **arguments, **told)

    def _on_arrays(
        self, inputs: Sequence[Any], arguments: Mapping[str, Any], training: bool | None
    ) -> Any:
        """The layers inside, one after the other."""
        first = inputs[0] if inputs else None
        arrays = [*first, *inputs[1:]] if isinstance(first, list | tuple) else list(inputs)
        for one in arrays or [None]:
            check_batch(self.name, one)
        self._make([with_batch(one.shape[1:]) for one in arrays])
        y = self._run(inputs, arguments, bool(training))
        if self.output_shape is None and hasattr(y, "shape"):
            self.output_shape = with_batch(y.shape[1:])
        return y

    def _make(self, shapes: Sequence[Any]) -> None:
        """Call the class's own build(), once."""
        if self.input_shape is None:
            shape = shapes[0] if len(shapes) == 1 else list(shapes)
            self.build(shape)
            self.input_shape = shape

    def _noted(self, output: Any) -> Any:
        """What the layer gave, whose shape is known now."""
        shapes = [tensor.shape for tensor in tensors_in(output)]
        self.output_shape = shapes[0] if len(shapes) == 1 else shapes
        return output


def _start(shape: Any) -> Tensor:
    """An input of a trace."""
    start: Tensor = InputLayer(shape[1:], name="input").output
    return start


def bases_for(cls: type[Layer], name: str) -> tuple[type, ...]:
    """The bases, in place of one, of a class that defines call(), and no forward()."""
    if cls.is_composed:
        return (cls,)
    if cls.forward is not Layer.forward:
        raise TypeError(
            f"{name}: a class derived from {cls.__name__} defines forward() beside call(), for training; derive it "
            "from Layer if its call() is made of layers. Received: call() alone"
        )
    return (Composed,) if cls is Layer else (cls, Composed)


def attributes_of(layer: Layer) -> dict[str, Any]:
    """The attributes of a layer of the user's own, without those that all layers have."""
    return {name: value for name, value in vars(layer).items() if name not in INTERNAL}


def layers_of(layer: Layer) -> list[Layer]:
    """The layers in its attributes, each once, in the order in which they were set."""
    found: dict[int, Layer] = {}
    for inner in layers_in(attributes_of(layer)):
        found.setdefault(id(inner), inner)
    return list(found.values())


def layers_in(value: Any) -> Iterator[Layer]:
    """The layers in a value, which may be one, or a list, a tuple or a dict of them."""
    if isinstance(value, Layer):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from layers_in(one)
    elif type(value) in (list, tuple):
        for one in value:
            yield from layers_in(one)
