"""The shape of a model's input, as its first layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.layers.layer import Backward, Layer, with_batch
from numba_cnn.layers.tensor import Node, Tensor
from numba_cnn.ops import Array


class InputLayer(Layer):
    """Says what shape a sample has; Sequential takes it as its first layer and does not list it."""

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"dtype": ("float32",)}

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        input_shape: Sequence[int | None] | None = None,
        name: str | None = None,
    ) -> None:
        """shape, or input_shape, is that of one sample; batch_shape has None in front."""
        given = [s for s in (shape, input_shape) if s is not None]
        if batch_shape is not None:
            given.append(_of_one_sample(batch_shape))
        if len(given) != 1:
            raise ValueError(
                "InputLayer: pass one of shape, input_shape and batch_shape. "
                f"Received: {len(given)} of them"
            )
        super().__init__(input_shape=given[0], name=name)
        assert self.first_shape is not None
        self.build(with_batch(self.first_shape))
        self._nodes.append(Node(self, (), [with_batch(self.first_shape)]))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)  # with its call, which no model need give back

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy

    def get_config(self) -> dict[str, Any]:
        assert self.first_shape is not None
        return {"batch_shape": list(with_batch(self.first_shape)), "name": self.name}


def _of_one_sample(batch_shape: Any) -> Sequence[int | None]:
    if (
        not isinstance(batch_shape, Sequence)
        or isinstance(batch_shape, str | bytes)
        or not (batch_shape and batch_shape[0] is None)
    ):
        raise ValueError(
            "InputLayer: batch_shape must be a tuple that begins with None, such as (None, 28, 28, 1). "
            f"Received: {nearest.shown(batch_shape)}"
        )
    return batch_shape[1:]


def _is_dtype(dtype: Any) -> bool:
    try:
        return isinstance(dtype, str | type | np.dtype) and np.dtype(dtype).kind in "biuf"
    except TypeError:
        return False


@nearest.keywords
def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    *,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> Tensor:
    """The input of a model, for samples of that shape: to call layers on, or as the first of a Sequential's.

    shape                that of one sample; an extent that is None may be any
    batch_size, dtype    are taken as Keras has them; batches may have any size, and inputs become float32

    Raises ValueError for a shape, a batch_size or a dtype that is none.
    """
    if batch_size is not None:
        shapes.count("Input", "batch_size", batch_size)
    if dtype is not None and not _is_dtype(dtype):
        raise ValueError(
            f"Input: dtype must name a type of real numbers. Received: {nearest.shown(dtype)}"
        )
    given: Tensor = InputLayer(shape, batch_shape=batch_shape, name=name).output
    return given
