"""Two-dimensional convolution."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.images import check_channels_last, one_image, padding_name
from numba_cnn.layers.kernel_layer import KernelLayer
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape, Size


class Conv2D(KernelLayer):
    """Convolution (cross-correlation) of images (N, H, W, C) with `filters` filters, channels last.

    kernel_size, strides, dilation_rate    one integer or a pair
    padding                                "valid" or "same"
    activation                             None, a name or a function of activations

    Parameters are kernel (KH, KW, C/groups, filters) and bias (filters,); the formula is
    ops.conv2d's.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Size = (1, 1),
        groups: int = 1,
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
        check_channels_last(self.name, data_format)
        self.filters = shapes.count(self.name, "filters", filters)
        self.kernel_size = shapes.pair(self.name, "kernel_size", kernel_size)
        self.strides = shapes.pair(self.name, "strides", strides)
        self.padding = padding_name(self.name, padding)
        self.dilation_rate = shapes.pair(self.name, "dilation_rate", dilation_rate)
        self.groups = shapes.count(self.name, "groups", groups)
        self.geometry: dict[str, Any] = {
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
        }

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        channels = input_shape[-1]
        assert channels is not None
        if channels % self.groups:
            raise ValueError(
                f"{self.name}: the channels must divide into the groups. "
                f"Received: {channels} channels, {self.groups} groups"
            )
        return *self.kernel_size, channels // self.groups, self.filters

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        x_shape = one_image(self.name, input_shape)
        g = shapes.conv2d(x_shape, self.kernel_shape(input_shape), **self.geometry)
        return None, g.OH, g.OW, g.F

    def _apply(self, x: Array, kernel: Array, bias: Array | None, relu: str | None) -> Array:
        return ops.conv2d(x, kernel, bias, activation=relu, **self.geometry)

    def _apply_backward(
        self, dy: Array, x: Array, kernel: Array, **options: Any
    ) -> tuple[Array | None, Array, Array]:
        return ops.conv2d_backward(dy, x, kernel, **options, **self.geometry)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": "channels_last",
            "dilation_rate": list(self.dilation_rate),
            "groups": self.groups,
        }
