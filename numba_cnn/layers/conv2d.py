"""Two-dimensional convolution."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.convolution_layer import ConvolutionLayer
from numba_cnn.layers.images import images, one_image
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape, Size


class Conv2D(ConvolutionLayer):
    """Convolution (cross-correlation) of images (N, H, W, C) with `filters` filters, channels last.

    kernel_size, strides, dilation_rate    one integer or a pair
    padding                                "valid" or "same"
    activation                             None, a name or a function of activations

    Parameters are kernel (KH, KW, C/groups, filters) and bias (filters,); the formula is
    ops.conv2d's.

    >>> layer = nc.layers.Conv2D(32, (3, 3), padding="same", activation="relu")
    >>> layer(np.zeros((2, 64, 64, 3), np.float32)).shape
    (2, 64, 64, 32)
    >>> layer.kernel.shape, layer.bias.shape
    ((3, 3, 3, 32), (32,))
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
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            **settings,
        )
        self.filters = shapes.count(self.name, "filters", filters)
        self.groups = shapes.count(self.name, "groups", groups)
        self.geometry["groups"] = self.groups

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
        return images(input_shape, g.OH, g.OW, g.F)

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
            "groups": self.groups,
        }
