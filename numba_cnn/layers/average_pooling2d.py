"""Means over windows of an image."""

from __future__ import annotations

from numba_cnn import ops
from numba_cnn.layers.layer import Backward
from numba_cnn.layers.max_pooling2d import Pooling2D
from numba_cnn.ops import Array


class AveragePooling2D(Pooling2D):
    """The mean of each window of `pool_size` pixels, `strides` apart (None: the pool size); padding does not count."""

    def forward(self, x: Array) -> tuple[Array, Backward]:
        x_shape, geometry = x.shape, self._geometry

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.average_pool2d_backward(dy, x_shape, **geometry) if need_dx else None

        return ops.average_pool2d(x, **geometry), backward


AvgPool2D = AveragePooling2D
