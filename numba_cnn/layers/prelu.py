"""A ReLU whose slope below 0 is learnt."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import constraints, initializers, ops, registry, regularizers, shapes
from numba_cnn.layers.axes import of_shape
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, axes
from numba_cnn.shapes import Shape


def _shared(owner: str, name: str, value: Any) -> list[int] | None:
    found = None if value is None else axes(owner, name, value)
    return [found] if isinstance(found, int) else found


class PReLU(Layer):
    """x where it is positive, else alpha * x, with alpha a weight of each element of a sample.

    shared_axes    along which one alpha serves for all: [1, 2] gives images one a channel

    He et al., arXiv:1502.01852.
    """

    shows_unbuilt = True
    _settings: ClassVar[Settings] = {"shared_axes": _shared}

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = shared_axes
        self.alpha: Parameter

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        self._alpha_shape(input_shape)
        return super().compute_output_shape(input_shape)

    def _alpha_shape(self, input_shape: InputShape) -> Shape:
        input_shape = shapes.with_batch(self.name, input_shape)
        shared = of_shape(self.name, self.shared_axes or [], input_shape, "shared_axes")
        own = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        known = tuple(n for n in own if n is not None)
        if not own or len(known) < len(own):
            raise ValueError(
                f"{self.name}: the extents along which alpha is not shared must be known. "
                f"Received: shared_axes {self.shared_axes} for inputs {input_shape}"
            )
        return known

    def _make_parameters(self, input_shape: InputShape) -> None:
        self.alpha = self._add_parameter(
            "alpha",
            self._alpha_shape(input_shape),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def forward(self, x: Array) -> tuple[Array, Backward]:
        alpha = self.alpha.value.reshape(1, *self.alpha.shape)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx, dalpha = ops.prelu_backward(dy, x, alpha)
            self.alpha.add_gradient(dalpha.reshape(self.alpha.shape))
            return dx

        return ops.prelu(x, alpha), backward

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": registry.describe("initializers", self.alpha_initializer),
            "alpha_regularizer": registry.describe("regularizers", self.alpha_regularizer),
            "alpha_constraint": registry.describe("constraints", self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
