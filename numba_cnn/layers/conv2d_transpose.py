"""Transposed convolution: the gradient of a convolution as a layer, which makes images larger."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.convolution_layer import ConvolutionLayer
from numba_cnn.layers.images import images, one_image
from numba_cnn.layers.layer import InputShape
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape, Size


class Conv2DTranspose(ConvolutionLayer):
    """The input gradient of the convolution that makes (N, H, W, C) of (N, OH, OW, filters).

    OH = H * stride with padding="same"; H * stride + max(KH - stride, 0) with "valid"; OW alike. Parameters are kernel
    (KH, KW, filters, C) and bias (filters,). Dumoulin & Visin, arXiv:1603.07285.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        output_padding: Size | None = None,
        data_format: str | None = None,
        dilation_rate: Size = (1, 1),
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
        if output_padding is not None:
            raise ValueError(
                f"{self.name}: output_padding is not served yet; leave it None. Received: {output_padding!r}"
            )

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        return *self.kernel_size, self.filters, one_image(self.name, input_shape)[-1]

    def _outputs(self, kernel_shape: Shape) -> int:
        return self.filters

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        _, H, W, F = self._images(one_image(self.name, input_shape))
        return images(input_shape, H, W, F)

    def _images(self, x_shape: Shape) -> Shape:
        """The shape of the output for inputs of that shape."""
        N, *extents, _ = x_shape
        sizes = []
        for n, k, s, d in zip(
            extents, self.kernel_size, self.strides, self.dilation_rate, strict=True
        ):
            covered = d * (k - 1) + 1
            sizes.append(n * s + (max(covered - s, 0) if self.padding == "valid" else 0))
        return N, *sizes, self.filters

    def _apply(self, x: Array, kernel: Array, bias: Array | None, relu: str | None) -> Array:
        y = ops.conv2d_transpose(x, kernel, bias, self._images(x.shape), **self.geometry)
        return ops.relu(y) if relu else y

    def _apply_backward(
        self, dy: Array, x: Array, kernel: Array, **options: Any
    ) -> tuple[Array | None, Array, Array]:
        if options["activation"]:
            dy = ops.relu_backward(dy, options["y"])
        return ops.conv2d_transpose_backward(
            dy, x, kernel, need_dx=options["need_dx"], **self.geometry
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": None,
        }
