"""Activations as layers of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import activations, ops
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.ops import Array
from numba_cnn.shapes import Size


class Activation(Layer):
    """An activation: "linear", "relu", or "softmax", which must be the last of a model that is
    trained.
    """

    def __init__(self, activation: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.activation = activations.name_of(activation)

    @property
    def softmax(self) -> bool:
        return self.activation == "softmax"

    def forward(self, x: Array) -> tuple[Array, Backward]:
        if self.activation != "relu":
            return x, lambda dy, need_dx=True: dy
        y = ops.relu(x)
        return y, lambda dy, need_dx=True: ops.relu_backward(dy, y) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation}


class ReLU(Activation):
    """max(x, 0)."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"negative_slope": (0,), "threshold": (0,)}

    def __init__(
        self,
        *,
        input_shape: Size | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__("relu", input_shape=input_shape, name=name, trainable=trainable)

    def get_config(self) -> dict[str, Any]:
        return Layer.get_config(self)


class Softmax(Activation):
    """exp(x) over its sum along the last axis; the last layer of a model that is trained."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"axis": (-1,)}

    def __init__(
        self,
        *,
        input_shape: Size | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__("softmax", input_shape=input_shape, name=name, trainable=trainable)

    def get_config(self) -> dict[str, Any]:
        return Layer.get_config(self)
