"""Numbers in another range."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import ops
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, number


class Rescaling(Layer):
    """x * scale + offset: Rescaling(1 / 255) brings bytes to 0..1.

    >>> nc.layers.Rescaling(1 / 255)(np.array([[0.0, 51.0, 255.0]])).round(3).tolist()
    [[0.0, 0.2, 1.0]]
    """

    _settings: ClassVar[Settings] = {"scale": number(), "offset": number()}

    def __init__(self, scale: float, offset: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.scale, self.offset = scale, offset

    def forward(self, x: Array) -> tuple[Array, Backward]:
        constants = {"scale": self.scale, "offset": self.offset}
        y = ops.activate(x, "affine", **constants)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.activate_backward(dy, y, "affine", **constants) if need_dx else None

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
