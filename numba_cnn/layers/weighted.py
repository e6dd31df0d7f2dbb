"""The weights of layers and models, by each of Keras's words for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.parameter import Parameter, assign
from numba_cnn.settings import Checked


class Weighted(Checked):
    """What has weights, some of which the optimizer changes."""

    name: str
    trainable: bool
    weights: list[Parameter]

    def __getattr__(self, name: str) -> Any:
        """The error for what it has not, or not yet."""
        if name[:1] != "_" and hasattr(type(self), name):  # a property, which said what is wrong
            return object.__getattribute__(self, name)
        is_early = name[:1] != "_" and self.__dict__.get("output_shape", "") is None
        when = "; its weights are made when it is built: call it, or build(input_shape)"
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}{when if is_early else ''}"
        )

    @property
    def trainable_weights(self) -> list[Parameter]:
        """What the optimizer changes."""
        return [p for p in self.weights if p.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """What it leaves as it is."""
        trainable = {id(parameter) for parameter in self.trainable_weights}
        return [parameter for parameter in self.weights if id(parameter) not in trainable]

    @property
    def variables(self) -> list[Parameter]:
        """The weights."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Parameter]:
        """The trainable weights."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Parameter]:
        """The other weights."""
        return self.non_trainable_weights

    def add_loss(self, loss: Any) -> None:
        """Says in one sentence what adds to the loss here: no gradient runs through a number that was computed."""
        raise TypeError(
            f"{self.name}: add_loss of what is computed is not served; kernel_regularizer=, activity_regularizer= and "
            f"layers.ActivityRegularization add to the loss. Received: {nearest.shown(loss)}"
        )

    def add_weight(self, *arguments: Any, **settings: Any) -> None:
        """Says in one sentence which weights layers of the user's own have."""
        raise TypeError(
            f"{self.name}: add_weight is not served: layers of your own have the weights of the layers in their "
            f"attributes. Received: {nearest.shown([*arguments, *settings.items()])}"
        )

    def get_weights(self) -> list[np.ndarray]:
        return [parameter.numpy() for parameter in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        assign(self.name, self.weights, weights)


def float32(owner: str, name: str, value: Any) -> str:
    """The dtype, known to be the one that layers compute in."""
    try:
        named = isinstance(value, str | type | np.dtype)
        fits = value is None or (named and np.dtype(value) == np.float32)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            f'{owner}: {name} must be "float32", which layers compute in, or None. '
            f"Received: {nearest.shown(value)}"
        )
    return "float32"


def initial(owner: str, value: Any) -> list[Any] | None:
    """The weights that a layer is to begin with."""
    if value is not None and not isinstance(value, list | tuple):
        raise ValueError(
            f"{owner}: weights must be a list of arrays, or None. Received: {nearest.shown(value)}"
        )
    return None if value is None else list(value)
