"""What stands for a layer in a model's passes."""

from __future__ import annotations

from typing import Any

from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class StandIn:
    """Has a layer's shapes and weights, and passes of its own."""

    acts_in_training = False

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    @property
    def input_shape(self) -> Any:
        return self.layer.input_shape

    @property
    def output_shape(self) -> Any:
        return self.layer.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        weights: list[Parameter] = self.layer.trainable_weights
        return weights


class Decided(StandIn):
    """A layer that acts in training, called with training= in a graph: so it runs in all passes."""

    def __init__(self, layer: Any, training: bool) -> None:
        super().__init__(layer)
        self.activity_regularizer = layer.activity_regularizer
        self.forward = layer.forward if training else layer.forward_inference

    def call(self, x: Array) -> Array:
        y: Array = self.forward(x)[0]
        return y
