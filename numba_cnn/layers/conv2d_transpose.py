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

    OH = H * stride with padding="same"; H * stride + max(KH - stride, 0) with "valid"; OW alike. With output_padding,
    less than the strides, (H - 1) * stride + (KH, or KH % 2 with "same") + output_padding. Parameters are kernel
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
        self.output_padding = self._beyond(output_padding)
        if self.output_padding is not None:
            self.geometry["padding"] = tuple(map(self._pads, range(2)))

    def _beyond(self, output_padding: Size | None) -> tuple[int, int] | None:
        """The pixels beyond what the windows need, which are fewer than a stride."""
        if output_padding is None:
            return None
        beyond = shapes.pair(self.name, "output_padding", output_padding, 0)
        if any(n >= stride for n, stride in zip(beyond, self.strides, strict=True)):
            raise ValueError(
                f"{self.name}: output_padding must be less than strides. "
                f"Received: output_padding {output_padding}, strides {self.strides}"
            )
        return beyond

    def _pads(self, axis: int) -> tuple[int, int]:
        """Where output_padding is given: what the convolution, whose gradient this is, has around its images."""
        assert self.output_padding is not None
        beyond, window = self.output_padding[axis], self._window(axis)
        if self.padding == "valid":
            return 0, 0
        needed = window + window % 2 - 2 + beyond
        before = window - 1 - min(needed - needed // 2, window - 1)
        return before, max(window - window % 2 - beyond - before, 0)

    def _window(self, axis: int) -> int:
        """How many pixels a filter covers along an axis."""
        return self.dilation_rate[axis] * (self.kernel_size[axis] - 1) + 1

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
        sizes = [self._extent(axis, n) for axis, n in enumerate(extents)]
        return N, *sizes, self.filters

    def _extent(self, axis: int, n: int) -> int:
        stride, window, is_valid = self.strides[axis], self._window(axis), self.padding == "valid"
        if self.output_padding is None:
            return n * stride + (max(window - stride, 0) if is_valid else 0)
        last = window if is_valid else window % 2
        return (n - 1) * stride + last + self.output_padding[axis]

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
            "output_padding": None if self.output_padding is None else list(self.output_padding),
        }
