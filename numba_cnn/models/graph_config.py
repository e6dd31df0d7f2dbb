"""Which layer is called on what, as Keras's files have it: written, and read again.

A place is [layer, which of its calls in the model, which of its outputs].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numba_cnn import nearest, registry
from numba_cnn.layers import InputLayer, Layer
from numba_cnn.layers.tensor import Node, Tensor
from numba_cnn.models.files import described, layer_from

_FUNCTIONAL = "Functional"  # whose places at the ends of a model count from 1: Keras calls one by itself first


class Place(NamedTuple):
    layer: str
    call: int
    output: int


def place(tensor: Tensor, calls: Sequence[Node]) -> Place:
    """Where a tensor comes from, among the calls of a model."""
    of_layer = [node for node in calls if node.layer is tensor.node.layer]
    return Place(tensor.name, of_layer.index(tensor.node), tensor.index)


def end(tensor: Tensor, calls: Sequence[Node]) -> list[Any]:
    """The same for an input or an output of the model."""
    layer, call, output = place(tensor, calls)
    return [layer, call + (tensor.node.layer.class_name == _FUNCTIONAL), output]


def layer_with_calls(layer: Layer, calls: Sequence[Node]) -> registry.Configuration:
    """A layer, and what it is called on."""
    own = [node for node in calls if node.layer is layer and node.inputs]
    return {
        **described(layer),
        "name": layer.name,
        "inbound_nodes": [
            {"args": [_arguments(node, calls)], "kwargs": _keywords(node)} for node in own
        ],
    }


def _keywords(node: Node) -> dict[str, Any]:
    return {} if node.training is None else {"training": node.training}


def _arguments(node: Node, calls: Sequence[Node]) -> Any:
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": list(tensor.shape),
                "dtype": "float32",
                "keras_history": list(place(tensor, calls)),
            },
        }
        for tensor in node.inputs
    ]
    return tensors if node.layer.arity is None else tensors[0]


class Reader:
    """Calls the layers of a description on one another, as soon as what each is called on is there."""

    def __init__(self, descriptions: Sequence[Any]) -> None:
        self._made: dict[Place, Tensor] = {}
        self._functional: set[str] = set()
        waiting = []
        for description in descriptions:
            layer, calls = layer_from(description), _calls(description)
            if layer.class_name == _FUNCTIONAL:
                self._functional.add(layer.name)
            if isinstance(layer, InputLayer):
                self._made[Place(layer.name, 0, 0)] = layer.output
            waiting += [(layer, *call, k) for k, call in enumerate(calls)]
        while waiting:
            later = [one for one in waiting if not self._call(*one)]
            if len(later) == len(waiting):
                raise ValueError(
                    "the layers of the Model are called in a circle, or on what is not there. "
                    f"Received: {later[0][0].name}"
                )
            waiting = later

    def _call(self, layer: Layer, call: Any, training: bool | None, k: int) -> bool:
        """Make a layer's call of that number, if all that it needs is there."""
        wanted = call if isinstance(call, list) else [call]
        ready = k == 0 or Place(layer.name, k - 1, 0) in self._made
        if not ready or not all(one in self._made for one in wanted):
            return False
        given = [self._made[one] for one in wanted]
        layer(given if isinstance(call, list) else given[0], training=training)
        for tensor in layer._nodes[-1].outputs:
            self._made[Place(layer.name, k, tensor.index)] = tensor
        return True

    def ends(self, given: Any) -> Any:
        """The inputs or outputs of the model at the places given: one, a list, or a dict of them."""
        if isinstance(given, Mapping):
            return {key: self.ends(value) for key, value in given.items()}
        if isinstance(given, list | tuple) and given and not isinstance(given[0], str):
            return [self.ends(one) for one in given]
        found = _place(given)
        if found.layer in self._functional:
            found = found._replace(call=found.call - 1)
        if found not in self._made:
            raise ValueError(
                f"the Model has no output at that place. Received: {nearest.shown(given)}"
            )
        return self._made[found]


def _calls(description: Any) -> list[tuple[Any, bool | None]]:
    """The calls of the layer of a description: for each a list of places, or one of them, and training=."""
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
        keywords = node.get("kwargs")
        training = keywords.get("training") if isinstance(keywords, Mapping) else None
        if training not in (None, False, True):
            raise ValueError(
                f"training= of a call must be true, false or null. Received: {nearest.shown(training)}"
            )
        calls.append((_read_places(arguments[0]), training))
    return calls


def _read_places(argument: Any) -> Any:
    if isinstance(argument, list | tuple):
        return [_read_places(part) for part in argument]
    config = argument.get("config") if isinstance(argument, Mapping) else None
    return _place(config.get("keras_history") if isinstance(config, Mapping) else None)


def _place(given: Any) -> Place:
    if (
        not isinstance(given, list | tuple)
        or len(given) != 3
        or not isinstance(given[0], str)
        or not all(isinstance(number, int) for number in given[1:])
    ):
        raise ValueError(
            f"expected the place of a tensor, [layer, call, output]. Received: {nearest.shown(given)}"
        )
    return Place(*given)
