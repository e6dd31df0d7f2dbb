"""Layers that run as one step: a convolution with the 2x2 max pooling above it, so that what lies
between them never goes through memory.
"""

from __future__ import annotations

from typing import TypeGuard

from numba_cnn import ops
from numba_cnn.activations import LINEAR
from numba_cnn.layers.conv2d import Conv2D
from numba_cnn.layers.layer import Backward
from numba_cnn.layers.max_pooling2d import MaxPooling2D
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class PooledConv2D:
    """A Conv2D and the MaxPooling2D above it, with the passes of a layer."""

    acts_in_training = False

    def __init__(self, convolution: Conv2D, pooling: MaxPooling2D) -> None:
        self.convolution = convolution
        self.input_shape, self.output_shape = convolution.input_shape, pooling.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        return self.convolution.trainable_weights

    def forward(self, x: Array) -> tuple[Array, Backward]:
        kernel, bias, relu = self.convolution.operands()
        geometry = self.convolution.geometry
        y, argmax = ops.conv2d_max_pool2d(x, kernel, bias, activation=relu, **geometry)
        gate = y if relu else None

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return self.convolution.keep_gradients(
                *ops.conv2d_max_pool2d_backward(
                    dy, argmax, x, kernel, need_dx=need_dx, activation=relu, y=gate, **geometry
                )
            )

        return y, backward

    def call(self, x: Array) -> Array:
        return self.forward(x)[0]


def pooled(below: object, layer: object) -> PooledConv2D | None:
    """The two as one step, or None; layers of derived classes run by themselves."""
    if type(below) is not Conv2D or not _halves(layer):
        return None
    fits = below.activation.is_relu or below.activation == LINEAR
    fits = fits and below.activity_regularizer is None
    return PooledConv2D(below, layer) if fits else None


def _halves(layer: object) -> TypeGuard[MaxPooling2D]:
    """Whether the layer takes the maximum of each 2x2, and drops an odd last row or column, wherever it is called."""
    if type(layer) is not MaxPooling2D:
        return False
    met = [layer.input_shape, *(node.inputs[0].shape for node in layer._nodes)]
    even = all(n is not None and n % 2 == 0 for shape in met for n in shape[1:3])
    return layer.pool_size == layer.strides == (2, 2) and (layer.padding == "valid" or even)
