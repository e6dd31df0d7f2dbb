"""Layers that move pixels and change none: reshaping, turning, padding, cropping, enlarging."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from numba_cnn import ops, shapes
from numba_cnn.layers.images import check_channels_last, images, one_image
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, choice, integer
from numba_cnn.shapes import Size

Sides = tuple[tuple[int, int], tuple[int, int]]


class Reshape(Layer):
    """Samples in another shape, in the same order; one extent may be -1."""

    def __init__(self, target_shape: Any, **settings: Any) -> None:
        super().__init__(**settings)
        if isinstance(target_shape, int) and not isinstance(target_shape, bool):
            target_shape = (target_shape,)
        self.target_shape = shapes.extents(self.name, "target_shape", target_shape, -1)
        if self.target_shape.count(-1) > 1 or 0 in self.target_shape:
            raise ValueError(
                f"{self.name}: extents of target_shape must be at least 1, or -1 for one of them. "
                f"Received: {target_shape}"
            )

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        if None in input_shape[1:]:
            return None, *(None if n == -1 else n for n in self.target_shape)
        size = math.prod(n for n in input_shape[1:] if n is not None)
        known = math.prod(n for n in self.target_shape if n != -1)
        if size % known or (-1 not in self.target_shape and size != known):
            raise ValueError(
                f"{self.name}: samples of {size} numbers do not fit into target_shape. "
                f"Received: inputs {input_shape}, target_shape {self.target_shape}"
            )
        return None, *(size // known if n == -1 else n for n in self.target_shape)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        shape = x.shape
        y = x.reshape(shape[0], *self.compute_output_shape(shape)[1:])
        return y, lambda dy, need_dx=True: dy.reshape(shape) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Permute(Layer):
    """Samples with their axes in another order, which dims gives, counted from 1: (2, 1) turns rows to columns."""

    def __init__(self, dims: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.dims = shapes.extents(self.name, "dims", dims, 1)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{self.name}: dims must be each of 1, 2, ... once. Received: {self.dims}"
            )

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(
                f"{self.name}: dims must name each axis of a sample. "
                f"Received: dims {self.dims} for inputs {input_shape}"
            )
        return None, *(input_shape[i] for i in self.dims)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        order = 0, *self.dims
        back = [order.index(axis) for axis in range(len(order))]
        return ops.permute(
            x, order
        ), lambda dy, need_dx=True: ops.permute(dy, back) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": list(self.dims)}


class Identity(Layer):
    """Samples as they are."""

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy if need_dx else None


class RepeatVector(Layer):
    """Rows (N, F), each n times: (N, n, F)."""

    _settings: ClassVar[Settings] = {"n": integer(1)}

    def __init__(self, n: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.n = n

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        if len(input_shape) != 2:
            raise ValueError(
                f"{self.name}: inputs must be rows (N, F). Received: input_shape {input_shape}"
            )
        return None, self.n, input_shape[1]

    def forward(self, x: Array) -> tuple[Array, Backward]:
        N, F = x.shape
        y = ops.concatenate([x.reshape(N, 1, F)] * self.n, axis=1)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            if not need_dx:
                return None
            return ops.add_backward(dy, (N, 1, F), dy.shape)[0].reshape(N, F)

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


class _Frame(Layer):
    """A layer that adds or takes pixels at the four sides of images."""

    _word: ClassVar[str]  # what Keras calls the pixels
    sides: Sides

    def _take(self, sides: Any, data_format: str | None) -> None:
        check_channels_last(self.name, data_format)
        self.sides = _sides(self.name, self._word, sides)

    def get_config(self) -> dict[str, Any]:
        sides = [list(pair) for pair in self.sides]
        return {**super().get_config(), self._word: sides, "data_format": "channels_last"}


class ZeroPadding2D(_Frame):
    """Zeros around images: one number, (vertical, horizontal), or ((top, bottom), (left, right))."""

    _word = "padding"

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._take(padding, data_format)

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        _, H, W, C = one_image(self.name, input_shape)
        return images(input_shape, H + sum(self.sides[0]), W + sum(self.sides[1]), C)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y = ops.zero_pad2d(x, self.sides)
        return y, lambda dy, need_dx=True: ops.crop2d(dy, self.sides) if need_dx else None


class Cropping2D(_Frame):
    """Images without pixels at their sides, given as for ZeroPadding2D."""

    _word = "cropping"

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._take(cropping, data_format)

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        _, H, W, C = one_image(self.name, input_shape)
        H, W = H - sum(self.sides[0]), W - sum(self.sides[1])
        if min(H, W) < 1:
            raise ValueError(
                f"{self.name}: nothing is left of images {input_shape}. Received: cropping {self.sides}"
            )
        return images(input_shape, H, W, C)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y = ops.crop2d(x, self.sides)
        return y, lambda dy, need_dx=True: ops.zero_pad2d(dy, self.sides) if need_dx else None


class UpSampling2D(Layer):
    """Images `size` times as large: each pixel repeated ("nearest"), or "bilinear"."""

    _settings: ClassVar[Settings] = {"interpolation": choice("nearest", "bilinear")}

    def __init__(
        self,
        size: Size = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.size = shapes.pair(self.name, "size", size)
        self.interpolation = interpolation

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        _, H, W, C = one_image(self.name, input_shape)
        return images(input_shape, H * self.size[0], W * self.size[1], C)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        size, how = self.size, self.interpolation

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.upsample2d_backward(dy, size, how) if need_dx else None

        return ops.upsample2d(x, size, how), backward

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": list(self.size),
            "data_format": "channels_last",
            "interpolation": self.interpolation,
        }


def _sides(name: str, word: str, sides: Any) -> Sides:
    """((top, bottom), (left, right)) of one number, of (vertical, horizontal), or as they are."""
    if isinstance(sides, int):
        sides = (sides, sides)
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise ValueError(
            f"{name}: {word} must be a number, (vertical, horizontal) or ((top, bottom), (left, right)). "
            f"Received: {sides!r}"
        )
    vertical, horizontal = (shapes.pair(name, word, side, 0) for side in sides)
    return vertical, horizontal
