"""Convolutions of sequences: those of images, for images of one row."""

from __future__ import annotations

from typing import Any

from numba_cnn.layers.conv2d import Conv2D
from numba_cnn.layers.conv2d_transpose import Conv2DTranspose
from numba_cnn.layers.convolution_layer import ConvolutionLayer
from numba_cnn.layers.depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from numba_cnn.layers.layer import Backward, InputShape
from numba_cnn.layers.sequences import Sequences, Steps, as_images, single, with_row
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.shapes import Shape

_EXTENTS = "kernel_size", "strides", "dilation_rate"


class _Convolution(Sequences, ConvolutionLayer):
    """What comes before a convolution of images: kernels (K, ...) for its (1, K, ...)."""

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        return super().kernel_shape(with_row(input_shape))

    def _add_parameter(self, name: str, shape: Shape, *given: Any, **settings: Any) -> Parameter:
        return super()._add_parameter(name, shape[-3:], *given, **settings)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return ConvolutionLayer.forward(self, x)

    def forward_scores(self, x: Array) -> tuple[Array, Backward]:
        return as_images(super().forward_scores, x)

    def call_scores(self, x: Array) -> Array:
        return self.forward_scores(x)[0]

    def operands(self) -> tuple[Array, Array | None, str | None]:
        kernel, bias, relu = super().operands()
        return kernel.reshape(1, *kernel.shape), bias, relu

    def keep_gradients(self, dx: Array | None, dkernel: Array, dbias: Array) -> Array | None:
        return super().keep_gradients(dx, dkernel.reshape(self.kernel.shape), dbias)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, **{key: config[key][1:] for key in _EXTENTS}}


class Conv1D(_Convolution, Conv2D):
    """Convolution of sequences (N, L, C) with `filters` filters.

    kernel_size, strides, dilation_rate    integers
    padding                                "valid", "same", or "causal": no output sees later steps than its own

    Parameters are kernel (K, C/groups, filters) and bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Steps,
        strides: Steps = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Steps = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **settings: Any,
    ) -> None:
        is_causal = isinstance(padding, str) and padding.lower() == "causal"
        super().__init__(
            filters,
            (1, single(self, "kernel_size", kernel_size)),
            (1, single(self, "strides", strides)),
            "valid" if is_causal else padding,
            data_format,
            (1, single(self, "dilation_rate", dilation_rate)),
            groups,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            **settings,
        )
        if is_causal:
            self.padding = "causal"
            before = self.dilation_rate[1] * (self.kernel_size[1] - 1)
            self.geometry["padding"] = ((0, 0), (before, 0))


class DepthwiseConv1D(_Convolution, DepthwiseConv2D):
    """Each channel of sequences (N, L, C) with `depth_multiplier` filters of its own, to (N, OL, C * multiplier).

    Parameters are kernel (K, C, depth_multiplier) and bias (C * depth_multiplier,).
    """

    def __init__(
        self,
        kernel_size: Steps,
        strides: Steps = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Steps = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **settings: Any,
    ) -> None:
        super().__init__(
            (1, single(self, "kernel_size", kernel_size)),
            (1, single(self, "strides", strides)),
            padding,
            depth_multiplier,
            data_format,
            (1, single(self, "dilation_rate", dilation_rate)),
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            **settings,
        )


class SeparableConv1D(_Convolution, SeparableConv2D):
    """A depthwise convolution of sequences, then `filters` filters of one step over all its channels.

    Parameters are depthwise_kernel (K, C, depth_multiplier), pointwise_kernel (1, C * depth_multiplier, filters) and
    bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Steps,
        strides: Steps = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Steps = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **settings: Any,
    ) -> None:
        super().__init__(
            filters,
            (1, single(self, "kernel_size", kernel_size)),
            (1, single(self, "strides", strides)),
            padding,
            data_format,
            (1, single(self, "dilation_rate", dilation_rate)),
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            **settings,
        )


class Conv1DTranspose(_Convolution, Conv2DTranspose):
    """The input gradient of the convolution that makes (N, L, C) of (N, OL, filters).

    Parameters are kernel (K, filters, C) and bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Steps,
        strides: Steps = 1,
        padding: str = "valid",
        output_padding: Steps | None = None,
        data_format: str | None = None,
        dilation_rate: Steps = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **settings: Any,
    ) -> None:
        beyond = output_padding
        super().__init__(
            filters,
            (1, single(self, "kernel_size", kernel_size)),
            (1, single(self, "strides", strides)),
            padding,
            None if beyond is None else (0, single(self, "output_padding", beyond, 0)),
            data_format,
            (1, single(self, "dilation_rate", dilation_rate)),
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            **settings,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["output_padding"] is not None:
            config["output_padding"] = config["output_padding"][1:]
        return config
