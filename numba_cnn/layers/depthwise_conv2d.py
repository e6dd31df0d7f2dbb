"""Convolutions whose filters see one channel each, and those that mix the channels afterwards."""

from __future__ import annotations

from typing import Any

from numba_cnn import constraints, initializers, ops, registry, regularizers, shapes
from numba_cnn.layers.convolution_layer import ConvolutionLayer
from numba_cnn.layers.images import images, one_image
from numba_cnn.layers.layer import Backward, InputShape
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.shapes import Shape, Size


class DepthwiseConv2D(ConvolutionLayer):
    """Each channel of images (N, H, W, C) with `depth_multiplier` filters of its own, to (N, OH, OW, C * multiplier).

    Parameters are kernel (KH, KW, C, depth_multiplier) and bias (C * depth_multiplier,).
    """

    _given_to_base = "kernel_initializer", "kernel_regularizer", "kernel_constraint"

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Size = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
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
            kernel_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=depthwise_regularizer,
            kernel_constraint=depthwise_constraint,
            **settings,
        )
        self.depth_multiplier = shapes.count(self.name, "depth_multiplier", depth_multiplier)

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        return *self.kernel_size, one_image(self.name, input_shape)[-1], self.depth_multiplier

    def _outputs(self, kernel_shape: Shape) -> int:
        return kernel_shape[-2] * kernel_shape[-1]

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        x_shape = one_image(self.name, input_shape)
        kernel = self.kernel_shape(input_shape)
        g = shapes.conv2d(x_shape, _grouped(kernel), **self._by_channel(x_shape[-1]))
        return images(input_shape, g.OH, g.OW, g.F)

    def _by_channel(self, channels: int | None) -> dict[str, Any]:
        """The geometry of one group a channel."""
        return {**self.geometry, "groups": channels}

    def _apply(self, x: Array, kernel: Array, bias: Array | None, relu: str | None) -> Array:
        weight = kernel.reshape(_grouped(kernel.shape))
        return ops.conv2d(x, weight, bias, activation=relu, **self._by_channel(x.shape[3]))

    def _apply_backward(
        self, dy: Array, x: Array, kernel: Array, **options: Any
    ) -> tuple[Array | None, Array, Array]:
        weight = kernel.reshape(_grouped(kernel.shape))
        dx, dweight, dbias = ops.conv2d_backward(
            dy, x, weight, **options, **self._by_channel(x.shape[3])
        )
        return dx, dweight.reshape(kernel.shape), dbias

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {
            key.replace("kernel_", "depthwise_") if key in self._given_to_base else key: value
            for key, value in {**config, "depth_multiplier": self.depth_multiplier}.items()
        }


class SeparableConv2D(DepthwiseConv2D):
    """A depthwise convolution, then `filters` filters of 1x1 over all its channels.

    Parameters are depthwise_kernel (KH, KW, C, depth_multiplier), pointwise_kernel (1, 1, C * depth_multiplier,
    filters) and bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Size = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        pointwise_regularizer: Any = None,
        pointwise_constraint: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            **settings,
        )
        self.filters = shapes.count(self.name, "filters", filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.pointwise_kernel: Parameter

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        return *super().compute_output_shape(input_shape)[:-1], self.filters

    def _make_parameters(self, input_shape: InputShape) -> None:
        shape = self.kernel_shape(input_shape)
        self._add_kernel("depthwise_kernel", shape)
        self.pointwise_kernel = self._add_parameter(
            "pointwise_kernel",
            (1, 1, self._outputs(shape), self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def call_scores(self, x: Array) -> Array:
        return self.forward_scores(x)[0]

    def forward_scores(self, x: Array) -> tuple[Array, Backward]:
        kernel, bias, relu = self.operands()
        shape = self.pointwise_kernel.shape
        pointwise = self.pointwise_kernel.value.reshape(1, 1, *shape[-2:])
        between = self._apply(x, kernel, None, None)
        y = ops.conv2d(between, pointwise, bias, activation=relu)
        gate = y if relu else None

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            dbetween, dpointwise, dbias = ops.conv2d_backward(
                dy, between, pointwise, activation=relu, y=gate
            )
            self.pointwise_kernel.add_gradient(dpointwise.reshape(shape))
            dx, dkernel, _ = self._apply_backward(dbetween, x, kernel, need_dx=need_dx)
            return self.keep_gradients(dx, dkernel, dbias)

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "pointwise_initializer": registry.describe("initializers", self.pointwise_initializer),
            "pointwise_regularizer": registry.describe("regularizers", self.pointwise_regularizer),
            "pointwise_constraint": registry.describe("constraints", self.pointwise_constraint),
        }


def _grouped(kernel: Shape) -> Shape:
    """A depthwise kernel's shape as that of a convolution in as many groups as there are channels."""
    KH, KW, C, multiplier = kernel
    return KH, KW, 1, C * multiplier
