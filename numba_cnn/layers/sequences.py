"""Layers of sequences (N, L, C): those of images, for images of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba_cnn import nearest, shapes
from numba_cnn.layers.images import one_sequence
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.shapes import Shape

Steps = int | Sequence[int]


class Sequences(Layer):
    """What comes before a layer of images in a class of layers of sequences: images have one row."""

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        one_sequence(self.name, input_shape)
        return without_row(super().compute_output_shape(with_row(input_shape)))

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return as_images(super().forward, x)


def as_images(
    forward: Callable[[Array], tuple[Array, Backward]], x: Array
) -> tuple[Array, Backward]:
    """The forward pass of a layer of images for sequences."""
    y, images_backward = forward(x.reshape(with_row(x.shape)))
    shape = y.shape

    def backward(dy: Array, need_dx: bool = True) -> Array | None:
        dx = images_backward(dy.reshape(shape), need_dx)
        return None if dx is None else dx.reshape(x.shape)

    return y.reshape(without_row(shape)), backward


def with_row(shape: InputShape) -> InputShape:
    """The shape of sequences as images of one row; that of images as it is."""
    return (shape[0], 1, *shape[1:]) if len(shape) == 3 else tuple(shape)


def without_row(shape: InputShape) -> InputShape:
    """The shape of images of one row as sequences; any other as it is."""
    return (shape[0], *shape[2:]) if len(shape) == 4 else tuple(shape)


def single(owner: object, name: str, value: Any, least: int = 1) -> int:
    """One integer, which may stand in a sequence of its own."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | tuple):
        raise ValueError(
            f"{type(owner).__name__}: {name} must be one integer. Received: {nearest.shown(value)}"
        )
    return shapes.count(type(owner).__name__, name, value, least)


def both(owner: object, name: str, value: Any, least: int = 0) -> Shape:
    """(left, right), of one integer or of two."""
    return shapes.pair(type(owner).__name__, name, value, least)
