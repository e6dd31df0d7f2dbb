"""The shape of a model's input, as its first layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from numba_cnn.layers.layer import Backward, Layer, with_batch
from numba_cnn.ops import Array


class InputLayer(Layer):
    """Says what shape a sample has; Sequential takes it as its first layer and does not list it."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}

    def __init__(
        self,
        shape: Sequence[int] | None = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        input_shape: Sequence[int] | None = None,
        name: str | None = None,
    ) -> None:
        """shape, or input_shape, is that of one sample; batch_shape has None in front."""
        given = [s for s in (shape, input_shape, batch_shape and batch_shape[1:]) if s is not None]
        if len(given) != 1:
            raise ValueError(
                "InputLayer: pass one of shape, input_shape and batch_shape. "
                f"Received: {len(given)} of them"
            )
        super().__init__(input_shape=given[0], name=name)  # type: ignore[arg-type]

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy

    def get_config(self) -> dict[str, Any]:
        assert self.first_shape is not None
        return {"batch_shape": list(with_batch(self.first_shape)), "name": self.name}


def Input(shape: Sequence[int], *, name: str | None = None) -> InputLayer:
    """An InputLayer for samples of that shape."""
    return InputLayer(shape, name=name)
