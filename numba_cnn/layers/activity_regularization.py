"""A penalty of what a layer gives."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import regularizers
from numba_cnn.layers.layer import Backward, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, number


class ActivityRegularization(Layer):
    """The input itself; the loss grows by l1 times the sum of its sizes and l2 times that of its squares."""

    _settings: ClassVar[Settings] = {"l1": number(0), "l2": number(0)}

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.l1, self.l2 = l1, l2
        self.activity_regularizer = regularizers.L1L2(self.l1, self.l2)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}
