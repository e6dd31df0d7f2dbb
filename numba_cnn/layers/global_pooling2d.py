"""One number a channel: the mean or the maximum of an image."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import ops
from numba_cnn.layers.images import check_channels_last, one_image
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, flag


class GlobalPooling2D(Layer):
    """Images (N, H, W, C) to rows (N, C), or (N, 1, 1, C) with keepdims."""

    _settings: ClassVar[Settings] = {"keepdims": flag}

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **settings: Any
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        channels = one_image(self.name, input_shape)[-1]
        return (None, 1, 1, channels) if self.keepdims else (None, channels)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y, rows_backward = self._rows(x)
        rows = y.shape
        if self.keepdims:
            y = y.reshape(rows[0], 1, 1, rows[1])

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return rows_backward(dy.reshape(rows)) if need_dx else None

        return y, backward

    def _rows(self, x: Array) -> tuple[Array, Backward]:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "data_format": "channels_last",
            "keepdims": self.keepdims,
        }


class GlobalAveragePooling2D(GlobalPooling2D):
    """The mean of each channel of an image."""

    def _rows(self, x: Array) -> tuple[Array, Backward]:
        shape = x.shape
        return ops.global_average_pool2d(x), lambda dy: ops.global_average_pool2d_backward(
            dy, shape
        )


class GlobalMaxPooling2D(GlobalPooling2D):
    """The maximum of each channel of an image."""

    def _rows(self, x: Array) -> tuple[Array, Backward]:
        shape = x.shape
        y, argmax = ops.global_max_pool2d(x)
        return y, lambda dy: ops.global_max_pool2d_backward(dy, argmax, shape)


GlobalAvgPool2D, GlobalMaxPool2D = GlobalAveragePooling2D, GlobalMaxPooling2D
