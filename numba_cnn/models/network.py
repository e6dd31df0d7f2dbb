"""What a model is made of: layers, among which may be models, their parameters, and the passes down and up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, session
from numba_cnn.alike import alike
from numba_cnn.layers import Layer
from numba_cnn.layers.container import Container
from numba_cnn.layers.layer import check_batch
from numba_cnn.layers.tensor import Node, Tensor, tensors
from numba_cnn.models import plan
from numba_cnn.models.graphs import Graphs, Results, is_ours
from numba_cnn.models.structure import one_or_all
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, flag


class Network(Container):
    """Layers in a graph, which is itself a layer of what it is called or put in.

    Where it is a layer, its own layers take their places among the other's: nothing of it runs by itself.
    """

    shows_unbuilt = True
    version = None  # what changes its passes is set on its layers

    def __init__(self, trainable: bool = True, name: str | None = None) -> None:
        self.name = session.auto_name(self.class_name) if name is None else name
        self._layers: list[Layer] = []
        self._names: set[str] = set()  # of the layers, so that a new one need not look at each
        self._nodes = []
        self._calls: list[Node] = []  # of its layers, in an order in which each finds its inputs
        self._starts: tuple[Tensor, ...] = ()  # its inputs and outputs, once it knows them
        self._ends: tuple[Tensor, ...] = ()
        self.input_shape = None
        self._backend: Any = None
        self._graphs = Graphs()
        self._widest: int | None = None  # see _in_parts
        self.trainable = trainable

    def __getattr__(self, name: str) -> Any:
        return nearest.method(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Whatever is set on a network is a change to those who remember what its passes do."""
        Checked.__setattr__(self, name, value)
        session.note_change()

    @property
    def layers(self) -> list[Layer]:
        """The layers from the input on, as a list of the caller's own."""
        return list(self._layers)

    inner_layers = layers

    @property
    def inputs(self) -> list[Tensor]:
        """What the model is called on, as tensors."""
        return list(self._known(self._starts))

    @property
    def outputs(self) -> list[Tensor]:
        """What it gives for them."""
        return list(self._known(self._ends))

    @property
    def input(self) -> Any:
        """What the model is called on: a tensor, or a list of several."""
        return one_or_all(self.inputs)

    @property
    def output(self) -> Any:
        """What it gives for that."""
        return self._arranged(self.outputs)

    def _arranged(self, outputs: Sequence[Any]) -> Any:
        """What the model gives, of something for each of its outputs."""
        return one_or_all(outputs)

    def _listed(self, arranged: Any) -> list[Any]:
        """Something for each output, of what the model gives."""
        return arranged if len(self._ends) > 1 else [arranged]

    def _read_trainable(self, config: Mapping[str, Any]) -> None:
        """Take over what a file says of the model itself: its layers know their own."""
        self._trainable = flag(self.name, "trainable", config.get("trainable", True))

    @property
    def input_names(self) -> list[str]:
        """The names that a dict of inputs goes by."""
        return [tensor.name for tensor in self._starts]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs, by which dicts and logs tell them apart."""
        return [end.name for end in self._ends] or [layer.name for layer in self._layers[-1:]]

    def _known(self, found: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not found:
            raise AttributeError(
                f"{self.name}: the model knows no shape of its inputs yet; build it, or put an Input first. "
                "Received: no input or output"
            )
        return found

    @property
    def backend(self) -> Any:
        """The backend that holds the parameters; the CPU until compile() says otherwise."""
        if self._backend is None:
            self._backend = backends.get("cpu")
        return self._backend

    @property
    def built(self) -> bool:
        return self.input_shape is not None and all(layer.built for layer in self._layers)

    @property
    def output_shape(self) -> Any:
        return one_or_all([tensor.shape for tensor in self._ends]) if self._ends else None

    @property
    def first_shape(self) -> Any:  # type: ignore[override]
        """The shape of a sample, where a Sequential that begins with the model need not be told."""
        single = self.input_shape is not None and len(self._starts) == 1
        return self.input_shape[1:] if single else None

    def _networks(self) -> list[Network]:
        """The models inside, also those inside of them."""
        return _networks_in(self._layers)

    def _check_new(self, layer: Layer) -> None:
        """Refuse a layer that the model has, or one that the model is in."""
        if layer.name in self._names:
            raise ValueError(
                f"{self.name}: the names of the layers must differ. Received: {layer.name!r} twice"
            )
        if layer is self or (isinstance(layer, Network) and self in layer._networks()):
            raise ValueError(
                f"{self.name}: a model cannot be a layer of itself. Received: {layer.name}"
            )

    def _take(self, layer: Layer) -> None:
        """Have a layer among the model's own."""
        self._layers.append(layer)
        self._names.add(layer.name)
        self._widest = None  # which is noted as a change
        if isinstance(layer, Network) and self._backend is None:
            self._backend = layer._backend

    def _name_weights(self, layer: Layer) -> None:
        """Tell a layer's weights where they are, unless a model inside did, and bring them to the backend."""
        layer._set_paths(self.name)
        self._place()

    def _set_paths(self, above: str) -> None:
        """The weights are where the model that was made first says."""

    def saved_parts(self) -> Mapping[str, Any]:
        return {"layers": self._layers}

    def _shape_of_call(self, input_shape: Any) -> Any:
        return self.compute_output_shape(input_shape)

    def forward(self, x: Any) -> tuple[Any, Callable[[Any], None]]:
        """Training: (y, backward). backward(dy) leaves the gradient of every trainable parameter.

        Lists, where there are several inputs or outputs.
        """
        xs = x if isinstance(x, list | tuple) and len(self._starts) > 1 else [x]
        for one in xs:
            check_batch(self.name, one)
        outputs, backward = plan.forward(self._plan(training=True), xs)
        return self._arranged(outputs), lambda dy: backward(self._listed(dy))

    def call(self, x: Array) -> Array:
        """Inference: what a call gives."""
        return self(x)

    def _plan(self, training: bool = False) -> plan.Plan:
        """What the passes of training, or of inference, run."""
        steps = plan.Steps(max(len(self._starts), 1), training)
        return plan.fused(steps.plan(self._add_steps(steps, steps.inputs)))

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """The output for a batch that lives on the model's backend; nothing is remembered.

        Called on what Input(...) or a layer returned, the model is a layer of another one, which says when it trains
        if training= does not.
        """
        if not training and (results := self._graphs.again(self._outputs, x)):
            return alike(x, results[0][0])
        if given := tensors(x):
            return self._connected(given, training)
        return alike(x, self.forward(x)[0] if training else self._of_batch(x))

    def _of_batch(self, x: Any) -> Any:
        check_batch(self.name, x)
        parts = self._in_parts(x)
        outputs = [self._graphs.run(self, self._outputs, *part)[0][0] for part in parts]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _is_batch(self, x: Array) -> bool:
        """Whether an array for a model of one input is a batch, and not a sample."""
        return len(x.shape) == len(self._starts[0].shape)

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
        single = len(self._starts) == 1
        if not single or x.shape[:1] == (1,) or x.shape[1:] != self._starts[0].shape[1:]:
            return whole
        if self._widest is None:
            self._widest = plan.widest(self._plan())
        most = max(budget // max(self._widest * x.itemsize, 1), 1)
        if len(x) <= most or not is_ours(self):
            return whole
        count = -(-len(x) // most)
        bounds = [len(x) * i // count for i in range(count + 1)]
        return [
            tuple(None if array is None else array[start:stop] for array in (x, *others))
            for start, stop in pairwise(bounds)
        ]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def _parts(self) -> list[Any]:
        """The objects that decide what a pass of the network computes."""
        return [*self._leaves(), *self._networks()]

    def _place(self) -> None:
        """Bring all parameters to the backend, and have the models inside know."""
        if self._backend is not None:
            for parameter in [*self.weights, *self.states]:
                parameter.move(self._backend)
            for network in self._networks():
                network._backend = self._backend


def _networks_in(layers: Sequence[Layer]) -> list[Network]:
    """The models among layers, and inside of them."""
    found = []
    for layer in layers:
        found += [layer] if isinstance(layer, Network) else []
        found += _networks_in(layer.inner_layers)
    return found
