"""Models made by calling layers on one another's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numba_cnn import layers, nearest, registry, session
from numba_cnn.layers import InputLayer, Layer
from numba_cnn.layers.tensor import Node, Tensor
from numba_cnn.models import plan
from numba_cnn.models.files import Saved


class Model(Saved):
    """A model from an input to an output, which layers in between were called for.

    inputs = Input((64, 64, 3))
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = Model(inputs, outputs)

    Layers may be used more than once, and their outputs by several others. One input and one output are served.
    """

    _keras_class, _keras_module = "Functional", "keras.src.models.functional"

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        start, end = _single("inputs", inputs), _single("outputs", outputs)
        if not isinstance(start.node.layer, InputLayer):
            raise ValueError(
                f"Model: inputs must be what Input(...) returned. Received: {nearest.shown(start)}"
            )
        name = session.auto_name(self._keras_class) if name is None else name
        super().__init__(trainable=trainable, name=name)
        self._nodes_of_model = _sorted(start, end)
        self._start, self._end = start, end
        for layer in _layers(self._nodes_of_model):
            self._take(layer)
        self.input_shape = start.shape

    @property
    def input(self) -> Tensor:
        return self._start

    inputs = input

    @property
    def output(self) -> Tensor:
        return self._end

    outputs = output

    @property
    def output_shape(self) -> Any:
        return self._end.shape

    @property
    def _last_layer(self) -> Layer:
        return self._end.node.layer

    def add(self, layer: Layer) -> None:
        raise TypeError(
            f"{self.name}: a Model is made of an input and an output; call layers on its output, and make another one. "
            f"Received: {nearest.shown(layer)}"
        )

    def pop(self) -> Layer:
        raise TypeError(f"{self.name}: a Model has no last layer to take off. Received: pop()")

    def _plan(self) -> plan.Plan:
        slots = {id(self._start): 0}
        steps = []
        for node in self._nodes_of_model:
            if node.inputs:
                slots[id(node.output)] = len(slots)
                read = tuple(slots[id(tensor)] for tensor in node.inputs)
                steps.append(plan.Step(node.layer, read, slots[id(node.output)]))
        return plan.fused(plan.Plan(tuple(steps), (0,), (slots[id(self._end)],)))

    def connections(self) -> dict[str, list[tuple[str, int]]] | None:
        """For each layer by name, which calls of which layers it is called on; None for a chain of layers."""
        found: dict[str, list[tuple[str, int]]] = {layer.name: [] for layer in self._layers}
        for node in self._nodes_of_model:
            for tensor in node.inputs:
                name, call, _ = _place(tensor)
                found[node.layer.name].append((name, call))
        read = [place for places in found.values() for place in places]
        branches = any(len(places) > 1 for places in found.values()) or len(set(read)) < len(read)
        return found if branches else None

    def get_config(self) -> registry.Configuration:
        """Name, layers, and which outputs each is called on, as Keras writes them."""
        described = [_described(layer, self._nodes_of_model) for layer in self._layers]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": described,
            "input_layers": _place(self._start),
            "output_layers": _place(self._end),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Model:
        """A model with new weights from get_config()."""
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list | tuple):
            raise ValueError(
                "from_config: config must be what get_config() gives, with a list of layers. "
                f"Received: {nearest.shown(config)}"
            )
        made: dict[tuple[str, int], Tensor] = {}
        left = [(layers.from_description(d), _calls(d)) for d in config["layers"]]
        _call_all(left, made)
        start, end = (_find(made, config.get(key)) for key in ("input_layers", "output_layers"))
        return cls(start, end, config.get("name"), config.get("trainable", True))


def _single(word: str, given: Any) -> Tensor:
    if isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    if isinstance(given, list | tuple | Mapping):
        raise ValueError(
            f"Model: several {word} are not served yet; a model has one input and one output. "
            f"Received: {len(given)} {word}"
        )
    if not isinstance(given, Tensor):
        raise TypeError(
            f"Model: {word} must be what Input(...) or a layer called on it returned. "
            f"Received: {nearest.shown(given)}"
        )
    return given


def _sorted(start: Tensor, end: Tensor) -> list[Node]:
    """The calls between input and output, each after those whose outputs it takes, in Keras's order."""
    found: list[Node] = []
    seen: dict[int, int] = {}  # node -> when it was first met
    stack: list[tuple[Node, int]] = [(end.node, 0)]
    finished: set[int] = set()
    while stack:  # depth first, without recursion: models may be deep
        node, next_input = stack.pop()
        seen.setdefault(id(node), len(seen))
        if next_input < len(node.inputs):
            stack.append((node, next_input + 1))
            below = node.inputs[next_input].node
            if id(below) not in finished:
                stack.append((below, 0))
        elif id(node) not in finished:
            finished.add(id(node))
            found.append(node)
            if not node.inputs and node is not start.node:
                raise ValueError(
                    "Model: the output comes from another input too, and one is served. "
                    f"Received: {node.layer.name}"
                )
    if id(start.node) not in finished:
        raise ValueError("Model: the output does not come from the input. Received: two graphs")
    depths = _depths(found)
    return sorted(found, key=lambda node: (-depths[id(node)], seen[id(node)]))


def _depths(nodes: list[Node]) -> dict[int, int]:
    """How many calls lie at most between each node and the output; all calls of a layer count as its deepest."""
    depths: dict[int, int] = {}
    of_layer: dict[int, int] = {}
    for node in reversed(nodes):
        depth = max(depths.get(id(node), 0), of_layer.get(id(node.layer), 0))
        depths[id(node)] = of_layer[id(node.layer)] = depth
        for tensor in node.inputs:
            below = id(tensor.node)
            depths[below] = max(depth + 1, depths.get(below, 0))
    return depths


def _layers(nodes: Iterable[Node]) -> list[Layer]:
    """The layers of the calls, each once."""
    return list({id(node.layer): node.layer for node in nodes}.values())


def _described(layer: Layer, nodes: list[Node]) -> registry.Configuration:
    calls = [node for node in nodes if node.layer is layer and node.inputs]
    return {
        **layers.describe(layer),
        "name": layer.name,
        "inbound_nodes": [{"args": [_arguments(node)], "kwargs": {}} for node in calls],
    }


def _arguments(node: Node) -> Any:
    described = [
        {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": list(tensor.shape),
                "dtype": "float32",
                "keras_history": _place(tensor),
            },
        }
        for tensor in node.inputs
    ]
    return described if node.layer.arity is None else described[0]


def _place(tensor: Tensor) -> list[Any]:
    """[layer, which of its calls, which of its outputs]."""
    return [tensor.node.layer.name, tensor.node.layer._nodes.index(tensor.node), 0]


def _calls(description: Any) -> list[Any]:
    """What the layer of a description was called on: for each call a list of places, or one of them."""
    nodes = description.get("inbound_nodes") if isinstance(description, Mapping) else None
    if not isinstance(nodes, list | tuple):
        raise ValueError(
            f"a layer of a Model must say what it is called on. Received: {nearest.shown(description)}"
        )
    calls = []
    for node in nodes:
        arguments = node.get("args") if isinstance(node, Mapping) else None
        if not isinstance(arguments, list | tuple) or len(arguments) != 1:
            raise ValueError(
                f"layers are called on tensors alone here. Received: {nearest.shown(node)}"
            )
        calls.append(_read_places(arguments[0]))
    return calls


def _read_places(argument: Any) -> Any:
    if isinstance(argument, list | tuple):
        return [_read_places(part) for part in argument]
    config = argument.get("config") if isinstance(argument, Mapping) else None
    return _key(config.get("keras_history") if isinstance(config, Mapping) else None)


def _key(place: Any) -> tuple[str, int]:
    if isinstance(place, list | tuple) and len(place) == 1 and isinstance(place[0], list | tuple):
        place = place[0]
    if (
        not isinstance(place, list | tuple)
        or len(place) != 3
        or not isinstance(place[0], str)
        or not isinstance(place[1], int)
    ):
        raise ValueError(
            f"expected the place of a tensor, [layer, call, output]. Received: {nearest.shown(place)}"
        )
    return place[0], place[1]


def _call_all(left: list[tuple[Layer, list[Any]]], made: dict[tuple[str, int], Tensor]) -> None:
    """Call each layer as often as its description says, as soon as what it is called on is there."""
    for layer, _ in left:
        if isinstance(layer, InputLayer):
            assert layer.first_shape is not None
            node = Node(layer, (), (None, *layer.first_shape))
            layer.build(node.output.shape)
            layer._nodes.append(node)
            made[layer.name, 0] = node.output
    waiting = [(layer, call, k) for layer, calls in left for k, call in enumerate(calls)]
    while waiting:
        later = []
        for layer, call, k in waiting:
            wanted = call if isinstance(call, list) else [call]
            if all(key in made for key in wanted) and (k == 0 or (layer.name, k - 1) in made):
                given = [made[key] for key in wanted]
                made[layer.name, k] = layer(given if isinstance(call, list) else given[0])
            else:
                later.append((layer, call, k))
        if len(later) == len(waiting):
            raise ValueError(
                f"the layers of the Model are called in a circle, or on what is not there. Received: {later[0][0].name}"
            )
        waiting = later


def _find(made: dict[tuple[str, int], Tensor], place: Any) -> Tensor:
    key = _key(place)
    if key not in made:
        raise ValueError(f"the Model has no output at that place. Received: {nearest.shown(place)}")
    return made[key]
