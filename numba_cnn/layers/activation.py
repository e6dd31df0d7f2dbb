"""Activations as layers of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import activations
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, number, optional


class ActivationLayer(Layer):
    """A layer that is an activation."""

    activation: activations.Use

    @property
    def last_activation(self) -> activations.Use:
        return self.activation

    @property
    def as_activation(self) -> activations.Use:
        """What the layer means where another one is given it as its activation."""
        return self.activation

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return self.activation.forward(x)

    def forward_scores(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy

    def call_scores(self, x: Array) -> Array:
        return x


class Activation(ActivationLayer):
    """An activation, by name or as a function of activations."""

    _settings: ClassVar[Settings] = {"activation": activations.setting}

    def __init__(self, activation: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.activation = activation

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation.name}


class ReLU(ActivationLayer):
    """x above the threshold, else negative_slope * (x - threshold); at most max_value."""

    _settings: ClassVar[Settings] = {
        "max_value": optional(number(0)),
        "negative_slope": number(0),
        "threshold": number(0),
    }

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **settings: Any,
    ) -> None:
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        super().__init__(**settings)
        self.activation = activations.relu_use(self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(ActivationLayer):
    """x where it is positive, else negative_slope * x."""

    _settings: ClassVar[Settings] = {"negative_slope": number(0)}

    def __init__(self, negative_slope: float = 0.3, **settings: Any) -> None:
        self.negative_slope = negative_slope
        super().__init__(**settings)
        self.activation = activations.Use("leaky_relu", (("negative_slope", self.negative_slope),))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(ActivationLayer):
    """x where it is positive, else alpha * (e^x - 1)."""

    _settings: ClassVar[Settings] = {"alpha": number(0)}

    def __init__(self, alpha: float = 1.0, **settings: Any) -> None:
        self.alpha = alpha
        super().__init__(**settings)
        self.activation = activations.Use("elu", (("alpha", self.alpha),))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(ActivationLayer):
    """exp(x) over its sum along the last axis."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"axis": (-1,)}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.activation = activations.Use("softmax")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": -1}
