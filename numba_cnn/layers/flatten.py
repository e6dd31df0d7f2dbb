"""Images to rows."""

from __future__ import annotations

import math
from typing import Any

from numba_cnn import shapes
from numba_cnn.layers.images import check_channels_last
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array


class Flatten(Layer):
    """(N, H, W, C) to (N, H*W*C), channels fastest; nothing is copied."""

    shows_unbuilt = True

    def __init__(self, data_format: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        known = [n for n in input_shape[1:] if n is not None]
        return None, math.prod(known) if len(known) == len(input_shape) - 1 else None

    def forward(self, x: Array) -> tuple[Array, Backward]:
        shape = x.shape
        y = x.reshape(shape[0], math.prod(shape[1:]))
        return y, lambda dy, need_dx=True: dy.reshape(shape) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": "channels_last"}
