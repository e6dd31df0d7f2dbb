"""A stack of layers: its shapes, its parameters, and the passes down and up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, nearest, session, shapes
from numba_cnn.layers import InputLayer, Layer
from numba_cnn.layers.layer import InputShape, check_batch, with_batch
from numba_cnn.layers.tensor import Tensor
from numba_cnn.models import plan
from numba_cnn.models.graphs import Graphs, Results, is_ours
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter, assign
from numba_cnn.settings import Checked, Settings, flag, text


class Network(Checked):
    """Layers one after the other.

    They are built as they come once the shape of a sample is known.
    """

    _takes_any_name: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {"trainable": flag, "name": text}

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        self.name = session.auto_name(type(self).__name__) if name is None else name
        self.trainable = trainable
        self._layers: list[Layer] = []
        self._names: set[str] = set()  # of the layers, so that add() need not look at each
        self.input_shape: InputShape | None = None
        self._input_layer: InputLayer | None = None
        self._backend: Any = None
        self._graphs = Graphs()
        self._widest: int | None = None  # see _in_parts
        for layer in _as_layers(layers):
            self.add(layer)

    def __setattr__(self, name: str, value: Any) -> None:
        """Whatever is set on a network is a change to those who remember what its passes do."""
        super().__setattr__(name, value)
        session.note_change()

    @property
    def layers(self) -> list[Layer]:
        """The layers from the input on, as a list of the caller's own; add() and pop() change the network."""
        return list(self._layers)

    @property
    def backend(self) -> Any:
        """The backend that holds the parameters; the CPU until compile() says otherwise."""
        if self._backend is None:
            self._backend = backends.get("cpu")
        return self._backend

    @property
    def built(self) -> bool:
        return self.input_shape is not None and all(layer.built for layer in self.layers)

    @property
    def output_shape(self) -> InputShape | None:
        return self._layers[-1].output_shape if self._layers else self.input_shape

    @property
    def _last_layer(self) -> Layer | None:
        """The layer whose output is the model's."""
        return self._layers[-1] if self._layers else None

    @property
    def weights(self) -> list[Parameter]:
        return [parameter for layer in self.layers for parameter in layer.weights]

    @property
    def states(self) -> list[Parameter]:
        """What the passes of the layers read or change beside weights: generators of random numbers."""
        return [parameter for layer in self._layers for parameter in layer.states]

    @property
    def trainable_weights(self) -> list[Parameter]:
        if not self.trainable:
            return []
        return [parameter for layer in self.layers for parameter in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        trainable = {id(parameter) for parameter in self.trainable_weights}
        return [parameter for parameter in self.weights if id(parameter) not in trainable]

    def add(self, layer: Layer) -> None:
        """Put a layer on top; the first may say with input_shape= what shape a sample has."""
        if isinstance(layer, Tensor) and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise TypeError(f"add: expected an object of Layer. Received: {layer!r}")
        if isinstance(layer, InputLayer):
            if self._layers or self._input_layer is not None:
                raise ValueError(
                    f"{self.name}: the input layer comes first, and once. Received: {layer.name}"
                )
            self._input_layer = layer
        else:
            if layer.name in self._names:
                raise ValueError(
                    f"{self.name}: the names of the layers must differ. "
                    f"Received: {layer.name!r} twice"
                )
            if not self._layers and self._input_layer is None and layer.first_shape is not None:
                self._input_layer = InputLayer(layer.first_shape)
            self._build_layer(layer)
            self._layers.append(layer)
            self._names.add(layer.name)
        if self.input_shape is None and self._input_layer is not None:
            assert self._input_layer.first_shape is not None
            self.build(with_batch(self._input_layer.first_shape))

    def _take(self, layer: Layer) -> None:
        """Have a layer that is built among the model's own, on its backend."""
        if layer.name in self._names:
            raise ValueError(
                f"{self.name}: the names of the layers must differ. Received: {layer.name!r} twice"
            )
        self._layers.append(layer)
        self._names.add(layer.name)
        for parameter in layer.weights:
            parameter.path = f"{self.name}/{layer.name}/{parameter.name}"
        self._place([*layer.weights, *layer.states])

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self.layers:
            raise ValueError(f"{self.name}: there is no layer to take off. Received: no layers")
        layer = self._layers.pop()
        self._names = {other.name for other in self._layers}
        self._widest = None  # which is noted as a change
        return layer

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the parameters of all layers, for samples of shape input_shape[1:]."""
        input_shape = shapes.with_batch(self.name, input_shape)
        if self.input_shape not in (None, input_shape):
            raise ValueError(
                f"{self.name}: the model is built for inputs of shape {self.input_shape}. "
                f"Received: input_shape {input_shape}"
            )
        if self._input_layer is None:
            self._input_layer = InputLayer(batch_shape=input_shape)
        self.input_shape = input_shape
        shape = self.input_shape
        for layer in self.layers:
            self._build_layer(layer, shape)
            assert layer.output_shape is not None
            shape = layer.output_shape

    def forward(self, x: Array) -> tuple[Array, Callable[[Array], None]]:
        """Training: (y, backward). backward(dy) leaves the gradient of every trainable parameter."""
        check_batch(self.name, x)
        outputs, backward = plan.forward(self._plan(), [x])
        return outputs[0], lambda dy: backward([dy])

    def _plan(self) -> plan.Plan:
        """What the passes run."""
        return plan.fused(plan.chain(self._layers))

    def __call__(self, x: Array) -> Array:
        """The output for a batch that lives on the model's backend; nothing is remembered."""
        if results := self._graphs.again(self._outputs, x):
            return results[0][0]
        if isinstance(x, Tensor):
            raise TypeError(
                f"{self.name}: models inside of models are not served yet; call its layers one after the other. "
                f"Received: {x!r}"
            )
        check_batch(self.name, x)
        parts = self._in_parts(x)
        outputs = [self._graphs.run(self, self._outputs, *part)[0][0] for part in parts]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _outputs(self, x: Array) -> Results:
        return plan.call(self._plan(), [x]), []

    def _in_parts(self, x: Array, *others: Array | None) -> list[tuple[Array | None, ...]]:
        """A batch in parts, as equal as may be, that the CPU's caches hold on their way from layer to layer.

        x are the samples; the others hold something for each of them, or are None. The parts are the
        same for any number of threads: for another number of samples a kernel may choose another
        algorithm, which gives other bits.
        """
        backend, whole = self.backend, [(x, *others)]
        budget = backend.ABILITIES.cache_budget
        if budget is None or not backend.owns(x):
            return whole
        if x.shape[:1] == (1,) or x.shape[1:] != (self.input_shape or ())[1:]:
            return whole
        if self._widest is None:
            self._widest = max((_numbers(step.layer) for step in self._plan().steps), default=0)
        most = max(budget // max(self._widest * x.itemsize, 1), 1)
        if len(x) <= most or not is_ours(self):
            return whole
        count = -(-len(x) // most)
        bounds = [len(x) * i // count for i in range(count + 1)]
        return [
            tuple(None if array is None else array[start:stop] for array in (x, *others))
            for start, stop in pairwise(bounds)
        ]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by its place."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: pass a name or an index. Received: {name!r}, {index!r}")
        if index is not None:
            last = len(self.layers) - 1
            if shapes.count("get_layer", "index", index, least=-last - 1) > last:
                raise ValueError(f"get_layer: index must be at most {last}. Received: {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise ValueError(f"get_layer: the layers are {names}. Received: {name!r}")

    def count_params(self) -> int:
        """The number of weights, counted one by one."""
        if not self.built:
            raise ValueError(
                f"{self.name}: a model has no weights to count before it is built. "
                "Received: an unbuilt model"
            )
        return sum(parameter.size for parameter in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights on the host: kernel and bias of each layer in turn."""
        return [parameter.numpy() for parameter in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take over weights in the order of get_weights()."""
        assign(self.name, self.weights, weights)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def _build_layer(self, layer: Layer, input_shape: InputShape | None = None) -> None:
        """Build one layer, on top of the last unless a shape is given, on the model's backend."""
        shape = input_shape or self.output_shape
        if shape is None:
            return
        layer.build(shape)
        self._widest = None
        for parameter in layer.weights:
            parameter.path = f"{self.name}/{layer.name}/{parameter.name}"
        self._place([*layer.weights, *layer.states])

    def _parts(self) -> list[Any]:
        """The objects that decide what a pass of the network computes."""
        return list(self.layers)

    def _place(self, parameters: Sequence[Parameter]) -> None:
        if self._backend is not None:
            for parameter in parameters:
                parameter.move(self._backend)


def _as_layers(layers: Any) -> Iterable[Layer]:
    if layers is None:
        return ()
    if isinstance(layers, str | bytes | Mapping) or not isinstance(layers, Iterable):
        raise TypeError(f"layers must be a list of layers. Received: {nearest.shown(layers)}")
    return layers


def _numbers(step: Any) -> int:
    """How many numbers a step takes and gives for one sample."""
    inputs = step.input_shape if isinstance(step.input_shape, list) else [step.input_shape or ()]
    ends = [*inputs, step.output_shape or ()]
    return sum(math.prod(n or 1 for n in shape) for shape in ends)
