"""Maximum over windows of an image."""

from __future__ import annotations

from typing import Any

from numba_cnn import ops, shapes
from numba_cnn.layers.images import check_channels_last, images, one_image, padding_name
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.shapes import Size


class Pooling2D(Layer):
    """What pooling layers share: their windows."""

    def __init__(
        self,
        pool_size: Size = (2, 2),
        strides: Size | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.pool_size = shapes.pair(self.name, "pool_size", pool_size)
        self.strides = (
            self.pool_size if strides is None else shapes.pair(self.name, "strides", strides)
        )
        self.padding = padding_name(self.name, padding)
        self._geometry: dict[str, Any] = {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        g = shapes.max_pool2d(one_image(self.name, input_shape), **self._geometry)
        return images(input_shape, g.OH, g.OW, g.C)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": list(self.pool_size),
            "padding": self.padding,
            "strides": list(self.strides),
            "data_format": "channels_last",
        }


class MaxPooling2D(Pooling2D):
    """The maximum of each window of `pool_size` pixels, `strides` apart (None: the pool size).

    The formula is ops.max_pool2d's; a NaN goes through, and the first maximum of a window takes the
    gradient.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        x_shape = x.shape
        y, argmax = ops.max_pool2d(x, **self._geometry)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return (
                ops.max_pool2d_backward(dy, argmax, x_shape, **self._geometry) if need_dx else None
            )

        return y, backward


MaxPool2D = MaxPooling2D
