"""The model of Keras's scripts: a stack of layers that trains, prints its summary, saves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from numba_cnn import nearest, registry, session, shapes
from numba_cnn.layers import InputLayer, Layer, tracing
from numba_cnn.layers.layer import check_batch, with_batch
from numba_cnn.layers.tensor import Tensor
from numba_cnn.models.files import Saved, described, kind, layer_from


@kind("Sequential")
class Sequential(Saved):
    """Layers one after the other, built as they come once the shape of a sample is known.

    model = Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(64, 64, 3)))
    ...
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5)

    A layer may be a model.

    >>> model = nc.Sequential([nc.layers.Conv2D(4, 3), nc.layers.Flatten(), nc.layers.Dense(2)])
    >>> model.predict(np.zeros((5, 8, 8, 3)), verbose=0).shape
    (5, 2)
    >>> model.count_params()
    402
    """

    _keras_class, _keras_module = "Sequential", "keras"

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._input_layer: InputLayer | None = None
        for layer in _as_layers(layers):
            self._add(layer)
        self._note_graph()
        if not trainable:
            self.trainable = False  # the layers' too

    def add(self, layer: Layer) -> None:
        """Put a layer on top; the first may say with input_shape= what shape a sample has."""
        self._add(layer)
        self._note_graph()

    def _add(self, layer: Layer) -> None:
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
            self._check_new(layer)
            if not self._layers and self._input_layer is None and layer.first_shape is not None:
                self._input_layer = InputLayer(layer.first_shape)
            self._put_on_top(layer)
            self._take(layer)
            self._name_weights(layer)
        if self.input_shape is None and self._input_layer is not None:
            assert self._input_layer.first_shape is not None
            self._build(with_batch(self._input_layer.first_shape))

    def _note_graph(self) -> None:
        """Where the layers are known to fit, Keras has made a functional model of them, which takes the next name."""
        if self.input_shape is not None and self._layers:
            session.auto_name("functional")

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self._layers:
            raise ValueError(f"{self.name}: there is no layer to take off. Received: no layers")
        layer = self._layers.pop()
        self._names.discard(layer.name)
        if self._ends:
            call = self._calls.pop()
            self._ends = call.inputs
        self._widest = None  # which is noted as a change
        self._note_graph()
        return layer

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the parameters of all layers, for samples of shape input_shape[1:], in batches of any size."""
        was_built = self.input_shape is not None
        self._build(input_shape)
        if not was_built:
            self._note_graph()

    def _build(self, input_shape: Sequence[int | None]) -> None:
        input_shape = None, *shapes.with_batch(self.name, input_shape)[1:]
        if self.input_shape is not None and not shapes.fits(input_shape, self.input_shape):
            raise ValueError(
                f"{self.name}: the model is built for inputs of shape {self.input_shape}. "
                f"Received: input_shape {input_shape}"
            )
        if self.input_shape is not None:
            return
        if self._input_layer is None:
            self._input_layer = InputLayer(batch_shape=input_shape)
        self.input_shape = input_shape
        self._calls = [self._input_layer._nodes[0]]
        self._starts = self._ends = self._calls[0].outputs
        for layer in self._layers:
            self._put_on_top(layer)
            self._name_weights(layer)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output, the batch as None; ValueError if the input does not fit."""
        shape = shapes.with_batch(self.name, input_shape)
        if not self.built:
            self.build(shape)
        for layer in self._layers:
            shape = layer._shape_of_call(shape)
        return shape

    def forward(self, x: Any) -> tuple[Any, Callable[[Any], None]]:
        self._be_built_for(x)
        return super().forward(x)

    def _of_batch(self, x: Any) -> Any:
        self._be_built_for(x)
        return super()._of_batch(x)

    def _be_built_for(self, x: Any) -> None:
        """Take the shape of a sample from a batch, if nothing said it before."""
        if self.input_shape is None:
            check_batch(self.name, x)
            if not self._layers:
                raise ValueError(
                    f"{self.name}: add layers to the model first. Received: a model without any"
                )
            self.build((None, *x.shape[1:]))

    def _put_on_top(self, layer: Layer) -> None:
        """Build a layer on what the model gives so far, if it knows the shape of that, and call it there."""
        if self._ends:
            below = self._ends[0]
            layer.build(below.shape)
            if isinstance(layer.output_shape, list):
                raise ValueError(
                    f"{self.name}: a layer of a Sequential gives one output; take a Model for several. "
                    f"Received: {layer.name}, which gives {len(layer.output_shape)}"
                )
            with tracing.paused():
                layer._connected((below,))
            self._calls.append(layer._nodes[-1])
            self._ends = self._calls[-1].outputs

    def _add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        for call in self._calls[1:]:
            slots = call.add_steps(steps, slots)
        return slots

    def _build_shape(self) -> Any:
        return list(self.input_shape or ())

    def get_config(self) -> registry.Configuration:
        """Name and layers, as Keras writes them."""
        stack = [*([self._input_layer] if self._input_layer else []), *self._layers]
        config: registry.Configuration = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [described(layer) for layer in stack],
        }
        if self.input_shape is not None:
            config["build_input_shape"] = list(self.input_shape)
        return config

    @classmethod
    def _of_config(cls, config: Mapping[str, Any]) -> Self:
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list | tuple):
            raise TypeError(
                "from_config: config must be what get_config() gives, with a list of layers. "
                f"Received: {nearest.shown(config)}"
            )
        model = cls(name=config.get("name"))
        for one in config["layers"]:
            model.add(layer_from(one))
        if config.get("build_input_shape") and not model.built:
            model.build(config["build_input_shape"])
        model._read_trainable(config)
        return model


def _as_layers(layers: Any) -> Iterable[Layer]:
    if layers is None:
        return ()
    if isinstance(layers, str | bytes | Mapping) or not isinstance(layers, Iterable):
        raise TypeError(f"layers must be a list of layers. Received: {nearest.shown(layers)}")
    return layers
