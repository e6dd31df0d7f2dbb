"""What a model and a layer made of layers share: all that they have is what the layers inside have."""

from __future__ import annotations

from numba_cnn.layers.layer import Layer
from numba_cnn.parameter import Parameter


class Container(Layer):
    """A layer with layers inside, inner_layers, which compute in its place."""

    @property
    def weights(self) -> list[Parameter]:  # type: ignore[override]
        """The weights of the layers inside, each once."""
        return [parameter for leaf in self._leaves() for parameter in leaf.weights]

    @property
    def states(self) -> list[Parameter]:
        """What the passes of the layers read or change beside weights: generators of random numbers."""
        return [parameter for leaf in self._leaves() for parameter in leaf.states]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """What the optimizer changes: of each layer that is trainable, whatever is said of what it is in."""
        if not self.trainable:
            return []
        return [parameter for leaf in self._leaves() for parameter in leaf.trainable_weights]

    @property
    def trainable(self) -> bool:
        """Whether the optimizer may change weights; to set it sets it on all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in self.inner_layers:
            layer.trainable = value

    def _leaves(self) -> list[Layer]:
        found: dict[int, Layer] = {}
        for layer in self.inner_layers:
            found |= {id(leaf): leaf for leaf in layer._leaves()}
        return list(found.values())
