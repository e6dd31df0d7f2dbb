"""A layer up to its last activation: what a loss takes that is more exact, or faster, on scores."""

from __future__ import annotations

from typing import Any

from numba_cnn.layers.activation import ActivationLayer
from numba_cnn.layers.kernel_layer import KernelLayer
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.layers.stand_in import StandIn
from numba_cnn.ops import Array


class Scores(StandIn):
    """The layer without its last activation."""

    layer: KernelLayer | ActivationLayer

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return self.layer.forward_scores(x)

    def call(self, x: Array) -> Array:
        return self.layer.call_scores(x)


def ends_in(layer: Any, names: tuple[str, ...]) -> bool:
    """Whether the layer gives scores before one of these activations; layers of derived classes may do more."""
    own = type(layer).__module__.partition(".")[0] == __name__.partition(".")[0]
    known = own and isinstance(layer, KernelLayer | ActivationLayer)
    penalised = getattr(layer, "activity_regularizer", None) is not None  # for what comes behind it
    return (
        known and not penalised and isinstance(layer, Layer) and layer.last_activation.name in names
    )
