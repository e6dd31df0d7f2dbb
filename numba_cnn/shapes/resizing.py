"""The geometry of borders and of larger images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from numba_cnn.shapes.checks import Padding, Shape, Size, images, pair


class Frame(NamedTuple):
    """Images within larger ones: rows and columns that lie around them."""

    N: int
    H: int
    W: int
    C: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def inner(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def outer(self) -> Shape:
        return self.N, self.top + self.H + self.bottom, self.left + self.W + self.right, self.C


def zero_pad2d(x_shape: Shape, padding: Padding) -> Frame:
    """Images (N, H, W, C) with zeros around them."""
    N, H, W, C = images("zero_pad2d", x_shape)
    (top, bottom), (left, right) = _borders("zero_pad2d", "padding", padding)
    return Frame(N, H, W, C, top, bottom, left, right)


def crop2d(x_shape: Shape, cropping: Padding) -> Frame:
    """Images (N, H, W, C), and what is left of them."""
    N, H, W, C = images("crop2d", x_shape)
    (top, bottom), (left, right) = _borders("crop2d", "cropping", cropping)
    if top + bottom >= H or left + right >= W:
        raise ValueError(
            f"crop2d: cropping must leave a pixel at least. Received: x {x_shape}, "
            f"cropping {((top, bottom), (left, right))}"
        )
    return Frame(N, H - top - bottom, W - left - right, C, top, bottom, left, right)


def _borders(op: str, name: str, value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from an integer, a pair, or two pairs."""
    nested = not isinstance(value, str) and isinstance(value, Sequence) and len(value) == 2
    if nested and all(isinstance(p, Sequence) and not isinstance(p, str) for p in value):
        return pair(op, name, value[0], 0), pair(op, name, value[1], 0)
    high, wide = pair(op, name, value, 0)
    return (high, high), (wide, wide)


class Upsample2D(NamedTuple):
    """Images that grow by whole factors."""

    N: int
    H: int
    W: int
    C: int
    SH: int
    SW: int

    @property
    def x(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def y(self) -> Shape:
        return self.N, self.H * self.SH, self.W * self.SW, self.C


def upsample2d(op: str, x_shape: Shape, size: Size) -> Upsample2D:
    """Images (N, H, W, C), each pixel of which becomes SH x SW."""
    N, H, W, C = images(op, x_shape)
    return Upsample2D(N, H, W, C, *pair(op, "size", size))


def upsampled2d(op: str, y_shape: Shape, size: Size) -> Upsample2D:
    """The same from the large images."""
    (N, H, W, C), (SH, SW) = images(op, y_shape), pair(op, "size", size)
    if H % SH or W % SW:
        raise ValueError(
            f"{op}: the extents of dy must be multiples of size. Received: dy {tuple(y_shape)}, size {(SH, SW)}"
        )
    return Upsample2D(N, H // SH, W // SW, C, SH, SW)
