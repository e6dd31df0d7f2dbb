"""The calls of layers that lie between the inputs and the outputs of a model, in Keras's order."""

from __future__ import annotations

from collections.abc import Sequence

from numba_cnn.layers import Input, InputLayer, Layer
from numba_cnn.layers.tensor import Node, Tensor


class Calls:
    """The calls between inputs and outputs, each after those whose outputs it takes; ValueError if there is no way."""

    def __init__(self, starts: Sequence[Tensor], ends: Sequence[Tensor]) -> None:
        first, found = _upwards(ends)  # when each layer was first met
        self._check(starts, found)
        self._depths, of_layer = _depths(found)
        order = {id(node): i for i, node in enumerate(found)}
        self.nodes = sorted(
            found,
            key=lambda node: (-self._depths[id(node)], first[id(node.layer)], order[id(node)]),
        )
        layers = {id(node.layer): node.layer for node in found}
        self.layers: list[Layer] = sorted(
            layers.values(), key=lambda layer: (-of_layer[id(layer)], first[id(layer)])
        )

    @property
    def is_chain(self) -> bool:
        """Whether each layer is called once, on what the layer before gave."""
        depths = set(self._depths.values())
        single = all(len(node.inputs) < 2 for node in self.nodes)
        return single and len(depths) == len(self.nodes) == len(self.layers)

    def _check(self, starts: Sequence[Tensor], found: list[Node]) -> None:
        given = {id(start.node) for start in starts}
        for node in found:
            if not node.inputs and id(node) not in given:
                raise ValueError(
                    "Model: the outputs come from another input too, which is not among inputs. "
                    f"Received: {node.layer.name}"
                )
        reached = {id(node) for node in found}
        for start in starts:
            if id(start.node) not in reached:
                raise ValueError(
                    "Model: no output comes from this input; leave it out of inputs. "
                    f"Received: {start.name}"
                )


def from_within(
    starts: Sequence[Tensor], ends: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The starts, with an Input in place of each that a layer gave, and what the layers behind make of those."""
    if all(isinstance(start.node.layer, InputLayer) for start in starts):
        return tuple(starts), tuple(ends)
    made = {
        id(start): start if isinstance(start.node.layer, InputLayer) else Input(start.shape[1:])
        for start in starts
    }
    for node in _upwards(ends)[1]:
        inputs = [made.get(id(tensor), tensor) for tensor in node.inputs]
        if all(new is old for new, old in zip(inputs, node.inputs, strict=True)):
            continue  # no start lies before it
        node.layer(inputs if node.layer.arity is None else inputs[0], training=node.training)
        for old, new in zip(node.outputs, node.layer._nodes[-1].outputs, strict=True):
            made.setdefault(id(old), new)
    return tuple(made[id(start)] for start in starts), tuple(made.get(id(end), end) for end in ends)


def _upwards(ends: Sequence[Tensor]) -> tuple[dict[int, int], list[Node]]:
    """When each layer is first met on the way from the outputs; and the calls, the inputs' first."""
    found: list[Node] = []
    first: dict[int, int] = {}
    finished: set[int] = set()
    for end in ends:
        stack: list[tuple[Node, int]] = [(end.node, 0)]
        while stack:  # depth first, without recursion: models may be deep
            node, next_input = stack.pop()
            if id(node) in finished:
                continue
            first.setdefault(id(node.layer), len(first))
            if next_input < len(node.inputs):
                stack += [(node, next_input + 1), (node.inputs[next_input].node, 0)]
            else:
                finished.add(id(node))
                found.append(node)
    return first, found


def _depths(nodes: list[Node]) -> tuple[dict[int, int], dict[int, int]]:
    """How many calls lie at most between each node, and each layer, and the outputs."""
    depths: dict[int, int] = {}
    of_layer: dict[int, int] = {}
    for node in reversed(nodes):
        depth = max(depths.get(id(node), 0), of_layer.get(id(node.layer), 0))
        depths[id(node)] = of_layer[id(node.layer)] = depth
        for tensor in node.inputs:
            below = id(tensor.node)
            depths[below] = max(depth + 1, depths.get(below, 0))
    return depths, of_layer
