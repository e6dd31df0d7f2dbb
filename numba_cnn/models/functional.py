"""Models made by calling layers on one another's outputs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self

from numba_cnn import nearest, registry, shapes
from numba_cnn.constructors import constructor, is_of_package
from numba_cnn.layers import Layer
from numba_cnn.layers.layer import check_batch
from numba_cnn.layers.tensor import Tensor, tensors
from numba_cnn.models import graph_config, plan, structure
from numba_cnn.models.calls import Calls, from_within
from numba_cnn.models.files import Saved, kind
from numba_cnn.models.graphs import Results
from numba_cnn.models.structure import one_or_all
from numba_cnn.models.summary import Connections
from numba_cnn.ops import Array


@kind("Functional", "Model")
class Model(Saved):
    """A model from inputs to outputs, which layers in between were called for.

    inputs = Input((64, 64, 3))
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = Model(inputs, outputs)

    Layers, among them models, may be used more than once, and their outputs by several others. Inputs and outputs may
    be lists or dicts. An input may be what a layer returned: the model begins behind that layer, with the same weights.

    >>> inputs = nc.Input((8, 8, 3))
    >>> features = nc.layers.Conv2D(4, 3, activation="relu")(inputs)
    >>> outputs = nc.layers.Dense(2, activation="softmax")(nc.layers.Flatten()(features))
    >>> nc.Model(inputs, outputs).predict(np.zeros((5, 8, 8, 3)), verbose=0).tolist() == [[0.5, 0.5]] * 5
    True
    """

    _keras_class, _keras_module = "Functional", "keras.src.models.functional"

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        keys = sorted(inputs) if isinstance(inputs, Mapping) else None
        end_keys = sorted(outputs) if isinstance(outputs, Mapping) else None
        starts, ends = from_within(
            _tensors("inputs", inputs if keys is None else [inputs[key] for key in keys]),
            _tensors(
                "outputs", outputs if end_keys is None else [outputs[key] for key in end_keys]
            ),
        )
        calls = Calls(starts, ends)
        super().__init__(trainable=trainable, name=name)
        for layer in calls.layers:
            self._check_new(layer)
            self._take(layer)
        self._calls, self._is_chain = calls.nodes, calls.is_chain
        self._starts, self._ends, self._keys, self._end_keys = starts, ends, keys, end_keys
        for layer in calls.layers:
            self._name_weights(layer)
        self.input_shape = one_or_all([start.shape for start in starts])
        if not trainable:
            self.trainable = False  # the layers' too

    @classmethod
    def _bases_for(cls, name: str, namespace: Mapping[str, Any]) -> tuple[type, ...]:
        """A class of the user's own that defines call() is made of the layers in its attributes."""
        for step in ("train_step", "test_step"):
            if step in namespace and "data" in inspect.signature(namespace[step]).parameters:
                raise TypeError(
                    f"{name}: {step}(self, data) is not served: a step of one's own takes gradients of tensor "
                    "functions. Received: a class that defines it"
                )
        if "call" not in namespace or is_of_package(namespace) or cls.is_composed:
            return (cls,)
        from numba_cnn.models.subclassed import Subclassed

        return (Subclassed,) if cls is Model else (cls, Subclassed)

    @property
    def input_names(self) -> list[str]:
        """The names that a dict of inputs goes by: the keys, if the model was made of one, or the inputs' own."""
        return super().input_names if self._keys is None else self._keys

    @property
    def output_names(self) -> list[str]:
        """The names that targets, losses and logs go by: the keys, if outputs are a dict, or the layers' own."""
        return super().output_names if self._end_keys is None else self._end_keys

    def _arranged(self, outputs: Sequence[Any]) -> Any:
        if self._end_keys is None:
            return super()._arranged(outputs)
        return dict(zip(self._end_keys, outputs, strict=True))

    def _listed(self, arranged: Any) -> list[Any]:
        if self._end_keys is None:
            return super()._listed(arranged)
        return [arranged[key] for key in self._end_keys]

    def _connected(self, inputs: tuple[Tensor, ...], training: bool | None = None) -> Any:
        given = super()._connected(inputs, training)
        if self._end_keys is None:
            return given
        return self._arranged(given if isinstance(given, list) else [given])

    @property
    def input(self) -> Any:
        """What the model is called on: a tensor, or a list or a dict of several."""
        if self._keys is None:
            return super().input
        return dict(zip(self._keys, self._starts, strict=True))

    def add(self, layer: Layer) -> None:
        raise TypeError(
            f"{self.name}: a Model is made of inputs and outputs; call layers on its output, and make another one. "
            f"Received: {nearest.shown(layer)}"
        )

    def pop(self) -> Layer:
        raise TypeError(f"{self.name}: a Model has no last layer to take off. Received: pop()")

    @property
    def arity(self) -> int | None:  # type: ignore[override]
        return 1 if len(self._starts) == 1 else None

    def build(self, input_shape: Any) -> None:
        """Say whether the model, which is built, takes inputs of that shape, or of those in a list."""
        given = input_shape if isinstance(input_shape, list) else [input_shape]
        given = [shapes.with_batch(self.name, shape) for shape in given]
        own = [start.shape for start in self._starts]
        if len(given) != len(own) or not all(map(shapes.fits, given, own)):
            raise ValueError(
                f"{self.name}: the model is built for inputs of shape {self.input_shape}. "
                f"Received: input_shape {input_shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.build(input_shape)
        given = input_shape if isinstance(input_shape, list) else [input_shape]
        found: dict[int, Any] = {id(t): shape for t, shape in zip(self._starts, given, strict=True)}
        for call in self._calls:
            if call.inputs:
                made = call.shapes_for([found[id(tensor)] for tensor in call.inputs])
                found |= {id(t): shape for t, shape in zip(call.outputs, made, strict=True)}
        return one_or_all([found[id(tensor)] for tensor in self._ends])

    def _of_batch(self, x: Any) -> Any:
        xs = structure.arrays(self.name, "x", x, self.input_names, self._is_batch)
        if given := tensors(xs):
            return self._connected(given)
        if len(self._starts) == len(self._ends) == 1 and self._end_keys is None:
            return super()._of_batch(xs[0])
        for one in xs:
            check_batch(self.name, one)
        return self._arranged(self._graphs.run(self, self._all_outputs, *xs)[0])

    def _all_outputs(self, *xs: Array) -> Results:
        return plan.call(self._plan(), xs), []

    def _add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        filled = {id(tensor): slot for tensor, slot in zip(self._starts, slots, strict=True)}
        for call in self._calls:
            if call.inputs:
                read = tuple(filled[id(tensor)] for tensor in call.inputs)
                made = call.add_steps(steps, read)
                filled |= {id(t): slot for t, slot in zip(call.outputs, made, strict=True)}
        return tuple(filled[id(tensor)] for tensor in self._ends)

    def connections(self) -> Connections | None:
        """For each layer by name, which outputs of which calls it is called on; None for a chain of layers."""
        if self._is_chain:
            return None
        found: Connections = {layer.name: [] for layer in self._layers}
        for call in self._calls:
            for tensor in call.inputs:
                below = tensor.node.layer
                number = below._nodes.index(tensor.node)
                found[call.layer.name].append((below.name, number, tensor.index))
        return found

    def get_config(self) -> registry.Configuration:
        """Name, layers, and which outputs each is called on, as Keras writes them.

        Of a class with a constructor of its own, what that was called with.
        """
        if not self._is_functional():
            return self._own_config()
        calls = self._calls
        starts = [graph_config.end(tensor, calls) for tensor in self._starts]
        ends = [graph_config.end(tensor, calls) for tensor in self._ends]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [graph_config.layer_with_calls(layer, calls) for layer in self._layers],
            "input_layers": one_or_all(starts)
            if self._keys is None
            else dict(zip(self._keys, starts, strict=True)),
            "output_layers": self._arranged(ends),
        }

    @classmethod
    def _is_functional(cls) -> bool:
        """Whether the constructor takes inputs and outputs."""
        return {"inputs", "outputs"} <= set(constructor(cls).names)

    @classmethod
    def _of_config(cls, config: Mapping[str, Any]) -> Self:
        if not cls._is_functional():
            return super(Layer, cls).from_config(config)
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list | tuple):
            raise ValueError(
                "from_config: config must be what get_config() gives, with a list of layers. "
                f"Received: {nearest.shown(config)}"
            )
        reader = graph_config.Reader(config["layers"])
        starts, ends = (reader.ends(config.get(key)) for key in ("input_layers", "output_layers"))
        model = cls(starts, ends, config.get("name"))
        model._read_trainable(config)
        return model


def _tensors(word: str, given: Any) -> tuple[Tensor, ...]:
    """What was given, known to be tensors."""
    found: Sequence[Any] = given if isinstance(given, list | tuple) else [given]
    for one in found or [given]:
        if not isinstance(one, Tensor):
            raise TypeError(
                f"Model: {word} must be what Input(...) or a layer called on it returned, or a list of such tensors. "
                f"Received: {nearest.shown(one)}"
            )
    return tuple(found)
