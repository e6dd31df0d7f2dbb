"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.kernel_layer import KernelLayer
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape


class Dense(KernelLayer):
    """activation(x @ kernel + bias) for rows x (N, K), or along the last axis of (N, ..., K).

    activation    None, a name or a function of activations

    Parameters are kernel (K, units) and bias (units,).
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **settings: Any,
    ) -> None:
        super().__init__(
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            **settings,
        )
        self.units = shapes.count(self.name, "units", units)

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        input_shape = shapes.with_batch(self.name, input_shape)
        if len(input_shape) < 2:
            raise ValueError(
                f"{self.name}: the input must be rows (None, K). Received: {input_shape}"
            )
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"{self.name}: the number of features must be known; GlobalAveragePooling2D makes one a channel of "
                f"images of any size, Flatten needs an Input of one size. Received: input_shape {input_shape}"
            )
        return features, self.units

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        return *input_shape[:-1], self.kernel_shape(input_shape)[1]

    def _apply(self, x: Array, kernel: Array, bias: Array | None, relu: str | None) -> Array:
        if len(x.shape) == 2:
            return ops.dense(x, kernel, bias, activation=relu)
        y = ops.dense(x.reshape(-1, kernel.shape[0]), kernel, bias, activation=relu)
        return y.reshape(*x.shape[:-1], kernel.shape[1])

    def _apply_backward(
        self, dy: Array, x: Array, kernel: Array, **options: Any
    ) -> tuple[Array | None, Array, Array]:
        if len(x.shape) == 2:
            return ops.dense_backward(dy, x, kernel, **options)
        if options.get("y") is not None:
            options["y"] = options["y"].reshape(-1, kernel.shape[1])
        rows = x.reshape(-1, kernel.shape[0])
        dx, dkernel, dbias = ops.dense_backward(
            dy.reshape(-1, kernel.shape[1]), rows, kernel, **options
        )
        return None if dx is None else dx.reshape(x.shape), dkernel, dbias

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
