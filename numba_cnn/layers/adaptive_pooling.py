"""Pooling to a size, whatever the size of the images."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.images import check_channels_last, one_image
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.layers.sequences import Sequences, Steps, single
from numba_cnn.ops import Array
from numba_cnn.shapes import Size


class AdaptivePooling2D(Layer):
    """Images (N, H, W, C) to (N, OH, OW, C)."""

    def __init__(self, output_size: Size, data_format: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.output_size = shapes.pair(self.name, "output_size", output_size)

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        return None, *self.output_size, one_image(self.name, input_shape)[-1]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_size": list(self.output_size),
            "data_format": "channels_last",
        }


class AdaptiveAveragePooling2D(AdaptivePooling2D):
    """The mean of each of `output_size` windows, which cover an image of whatever size.

    The formula is ops.adaptive_average_pool2d's.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        x_shape, size = x.shape, self.output_size

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.adaptive_average_pool2d_backward(dy, x_shape, size) if need_dx else None

        return ops.adaptive_average_pool2d(x, size), backward


class AdaptiveMaxPooling2D(AdaptivePooling2D):
    """The maximum of each of `output_size` windows, which cover an image of whatever size.

    The windows are those of ops.adaptive_average_pool2d; the first maximum of a window takes the gradient.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        x_shape, size = x.shape, self.output_size
        y, argmax = ops.adaptive_max_pool2d(x, size)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.adaptive_max_pool2d_backward(dy, argmax, x_shape, size) if need_dx else None

        return y, backward


class _AdaptivePooling1D(Sequences, AdaptivePooling2D):
    def __init__(self, output_size: Steps, data_format: str | None = None, **settings: Any) -> None:
        super().__init__((1, single(self, "output_size", output_size)), data_format, **settings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": list(self.output_size[1:])}


class AdaptiveAveragePooling1D(_AdaptivePooling1D, AdaptiveAveragePooling2D):
    """The mean of each of `output_size` windows, which cover a sequence of whatever length."""


class AdaptiveMaxPooling1D(_AdaptivePooling1D, AdaptiveMaxPooling2D):
    """The maximum of each of `output_size` windows, which cover a sequence of whatever length."""
