"""Layers that run as one step: a convolution with the 2x2 max pooling above it, so that what lies
between them never goes through memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from numba_cnn import ops
from numba_cnn.layers.conv2d import Conv2D
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.layers.max_pooling2d import MaxPooling2D
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class PooledConv2D:
    """A Conv2D and the MaxPooling2D above it, with the passes of a layer."""

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

    def __call__(self, x: Array) -> Array:
        return self.forward(x)[0]


def fused(layers: Sequence[Layer]) -> list[Layer | PooledConv2D]:
    """The steps that compute what the layers say, in their order; layers of derived classes run by themselves."""
    steps: list[Layer | PooledConv2D] = []
    for layer in layers:
        below = steps[-1] if steps else None
        if type(below) is Conv2D and not below.softmax and _halves(layer):
            steps[-1] = PooledConv2D(below, layer)
        else:
            steps.append(layer)
    return steps


def _halves(layer: Layer) -> TypeGuard[MaxPooling2D]:
    """Whether the layer takes the maximum of each 2x2, and drops an odd last row or column."""
    if type(layer) is not MaxPooling2D:
        return False
    assert layer.input_shape is not None
    even = all(n is not None and n % 2 == 0 for n in layer.input_shape[1:3])
    return layer.pool_size == layer.strides == (2, 2) and (layer.padding == "valid" or even)
