"""Images of another size, and what is in their middle."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, ops
from numba_cnn.layers.images import check_channels_last, one_image
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, choice, flag, integer, number

Borders = tuple[tuple[int, int], tuple[int, int]]


class Resizing(Layer):
    """Images of height x width: the nearest pixels, or what lies between them ("bilinear").

    crop_to_aspect_ratio cuts images to the new shape first, pad_to_aspect_ratio frames them instead.
    """

    _settings: ClassVar[Settings] = {
        "height": integer(1),
        "width": integer(1),
        "interpolation": choice("bilinear", "nearest"),
        "crop_to_aspect_ratio": flag,
        "pad_to_aspect_ratio": flag,
        "fill_mode": choice("constant"),
        "fill_value": number(),
        "antialias": flag,
    }
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {
        **Layer.inert, "fill_mode": ("constant",), "antialias": (False,)
    }  # fmt: skip

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.fill_mode, self.antialias = fill_mode, antialias
        if self.antialias:
            raise ValueError(f"{self.name}: antialias must be False here. Received: {antialias!r}")
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_value = fill_value
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError(
                f"{self.name}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True. "
                "Received: both"
            )

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        return None, self.height, self.width, one_image(self.name, input_shape)[3]

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return resized(
            x,
            (self.height, self.width),
            self.interpolation,
            crop=self.crop_to_aspect_ratio,
            pad=self.pad_to_aspect_ratio,
            fill_value=self.fill_value,
        )

    def get_config(self) -> dict[str, Any]:
        names = (
            "height",
            "width",
            "interpolation",
            "crop_to_aspect_ratio",
            "pad_to_aspect_ratio",
            "fill_value",
        )
        settings = {name: getattr(self, name) for name in names}
        fixed = {"fill_mode": "constant", "antialias": False, "data_format": "channels_last"}
        return {**super().get_config(), **settings, **fixed}


class CenterCrop(Layer):
    """The middle of images, height x width; images that are smaller are cut to its shape and enlarged."""

    _settings: ClassVar[Settings] = {"height": integer(1), "width": integer(1)}

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.height, self.width = height, width

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        return None, self.height, self.width, one_image(self.name, input_shape)[3]

    def forward(self, x: Array) -> tuple[Array, Backward]:
        _, H, W, _ = x.shape
        if self.height > H or self.width > W:
            return resized(x, (self.height, self.width), "bilinear", crop=True)
        borders = _around(H - self.height), _around(W - self.width)
        y = ops.crop2d(x, borders)
        return y, lambda dy, need_dx=True: ops.zero_pad2d(dy, borders) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        size = {"height": self.height, "width": self.width}
        return {**super().get_config(), **size, "data_format": "channels_last"}


def resized(
    x: Array,
    size: tuple[int, int],
    interpolation: str,
    *,
    crop: bool = False,
    pad: bool = False,
    fill_value: float = 0.0,
) -> tuple[Array, Backward]:
    """Images of that size, cut or framed before to its shape, and the way back."""
    borders = _borders(x.shape[1:3], size, crop, pad)
    inner = x
    if crop:
        inner = ops.crop2d(x, borders)
    elif pad:
        inner = _framed(x, borders, fill_value)
    shape = tuple(inner.shape)

    def backward(dy: Array, need_dx: bool = True) -> Array | None:
        if not need_dx:
            return None
        dx = ops.resize2d_backward(dy, shape, interpolation)
        return ops.zero_pad2d(dx, borders) if crop else ops.crop2d(dx, borders) if pad else dx

    return ops.resize2d(inner, size, interpolation), backward


def _framed(x: Array, borders: Borders, fill_value: float) -> Array:
    """Images with that number around them; their own pixels stay as they are."""
    (top, bottom), (left, right) = borders
    N, H, W, _ = x.shape
    moved = np.tile(np.array([1, 0, -left, 0, 1, -top], x.dtype), (N, 1))
    matrices = backends.of("resized", x=x).asarray(moved)
    size = top + H + bottom, left + W + right
    return ops.affine_transform2d(x, matrices, size, interpolation="nearest", fill_value=fill_value)


def _borders(extents: tuple[int, int], size: tuple[int, int], crop: bool, pad: bool) -> Borders:
    """The rows and columns to cut off, or to add, so that images have the shape of `size`."""
    (H, W), (OH, OW) = extents, size
    h, w = int(W * OH / OW), int(H * OW / OH)
    if crop:
        return _around(H - max(min(H, h), 1)), _around(W - max(min(W, w), 1))
    down, across = ((max(0, more) // 2 if pad else 0) for more in (h - H, w - W))
    return (down, down), (across, across)


def _around(less: int) -> tuple[int, int]:
    return less // 2, less - less // 2
