"""Vectors of length 1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from numba_cnn import ops, shapes
from numba_cnn.layers.axes import of_shape, turns
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, axes

_LEAST_LENGTH = 1e-12


class UnitNormalization(Layer):
    """x over its length along an axis, or along a list of them."""

    _settings: ClassVar[Settings] = {"axis": axes}

    def __init__(self, axis: Any = -1, **settings: Any) -> None:
        super().__init__(**settings)
        self.axis = axis

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        of_shape(self.name, self.axis, shapes.with_batch(self.name, input_shape))
        return super().compute_output_shape(input_shape)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        along = of_shape(self.name, self.axis, x.shape)
        there, back = turns(len(x.shape), along)
        turned = there(x)
        rows = turned.reshape(-1, math.prod(x.shape[axis] for axis in along))
        normal, inverse = ops.unit_norm(rows, _LEAST_LENGTH)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            if not need_dx:
                return None
            drows = there(dy).reshape(normal.shape)
            drows = ops.unit_norm_backward(drows, normal, inverse, _LEAST_LENGTH)
            return back(drows.reshape(turned.shape))

        return back(normal.reshape(turned.shape)), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
