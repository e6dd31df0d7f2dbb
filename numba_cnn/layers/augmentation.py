"""Layers that change images at random, in training alone: mirrored, turned, zoomed, moved, cut.

Each image of a batch gets numbers of its own. What Keras calls a factor is a share: of a turn, or of the extent.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from numba_cnn import ops
from numba_cnn.layers.coloring import ChanceOfImages, interval
from numba_cnn.layers.images import check_channels_last, one_image
from numba_cnn.layers.layer import Backward, InputShape
from numba_cnn.layers.noise import Chance
from numba_cnn.layers.resizing import resized
from numba_cnn.ops import Array
from numba_cnn.ops.warping import FILL_MODES
from numba_cnn.settings import Settings, choice, integer, number
from numba_cnn.shapes import AffineRanges


class _Moved(ChanceOfImages):
    """A random affine map for each image."""

    interpolation, fill_mode, fill_value = "nearest", "nearest", 0.0

    def _ranges(self, H: int, W: int) -> AffineRanges:
        """What the maps are drawn from, for images of that size."""
        raise NotImplementedError

    def forward(self, x: Array) -> tuple[Array, Backward]:
        _, H, W, _ = x.shape
        matrices = ops.random_affine(x, self._ranges(H, W), self.generator.value)
        return self._moved(x, matrices)

    def _moved(self, x: Array, matrices: Array) -> tuple[Array, Backward]:
        how: dict[str, Any] = {"interpolation": self.interpolation, "fill_mode": self.fill_mode}
        y = ops.affine_transform2d(x, matrices, fill_value=self.fill_value, **how)
        shape = tuple(x.shape)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.affine_transform2d_backward(dy, matrices, shape, **how) if need_dx else None

        return y, backward


class RandomFlip(_Moved):
    """Half of the images in a mirror: "horizontal" left and right, "vertical" above and below."""

    _modes: ClassVar[tuple[str, ...]] = ("horizontal", "vertical", "horizontal_and_vertical")
    _settings: ClassVar[Settings] = {"mode": choice(*_modes)}

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(seed, **settings)
        check_channels_last(self.name, data_format)
        self.mode = mode

    def _ranges(self, H: int, W: int) -> AffineRanges:
        return AffineRanges(
            flip_rows="vertical" in self.mode, flip_columns="horizontal" in self.mode
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode, "data_format": "channels_last"}


class _Filled(_Moved):
    """A random map with something beyond the border."""

    _settings: ClassVar[Settings] = {
        "fill_mode": choice(*FILL_MODES),
        "interpolation": choice("nearest", "bilinear"),
        "fill_value": number(),
    }

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(seed, **settings)
        check_channels_last(self.name, data_format)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
            "data_format": "channels_last",
        }


class RandomRotation(_Filled):
    """Images turned around their centre by a share of a full turn: `factor` is the most, or (least, most)."""

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        how = (fill_mode, interpolation, seed, fill_value, data_format)
        super().__init__(*how, **settings)
        self.factor = interval(self.name, "factor", factor)

    def _ranges(self, H: int, W: int) -> AffineRanges:
        low, high = self.factor
        return AffineRanges(angle=(2 * math.pi * low, 2 * math.pi * high))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": list(self.factor)}


class _ByAxes(_Filled):
    """A random map with a factor for each axis."""

    def _take(self, height_factor: Any, width_factor: Any) -> None:
        self.height_factor, self.width_factor = height_factor, width_factor
        self._rows = interval(self.name, "height_factor", height_factor)
        self._columns = self._rows
        if width_factor is not None:
            self._columns = interval(self.name, "width_factor", width_factor)

    def get_config(self) -> dict[str, Any]:
        factors = {"height_factor": self.height_factor, "width_factor": self.width_factor}
        return {**super().get_config(), **factors}


class RandomZoom(_ByAxes):
    """Images that show 1 + factor as much; columns as rows unless width_factor is given. Negative factors enlarge."""

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        how = (fill_mode, interpolation, seed, fill_value, data_format)
        super().__init__(*how, **settings)
        self._take(height_factor, width_factor)
        if min(self._rows[0], self._columns[0]) <= -1:
            raise ValueError(
                f"{self.name}: a factor must be above -1, where nothing would be left. "
                f"Received: {height_factor!r}, {width_factor!r}"
            )

    def _ranges(self, H: int, W: int) -> AffineRanges:
        rows, columns = ((1 + low, 1 + high) for low, high in (self._rows, self._columns))
        return AffineRanges(
            zoom_rows=rows, zoom_columns=columns, is_square=self.width_factor is None
        )


class RandomTranslation(_ByAxes):
    """Images moved down and to the right by a share of their height and width."""

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        how = (fill_mode, interpolation, seed, fill_value, data_format)
        super().__init__(*how, **settings)
        self._take(height_factor, width_factor)

    def _ranges(self, H: int, W: int) -> AffineRanges:
        (up, down), (left, right) = self._rows, self._columns
        return AffineRanges(shift_rows=(-down * H, -up * H), shift_columns=(-right * W, -left * W))


class RandomCrop(Chance):
    """A piece of height x width of each image; in inference the middle. Smaller images are enlarged.

    So Keras's page says; its code leaves images as they are in inference.
    """

    _settings: ClassVar[Settings] = {"height": integer(1), "width": integer(1)}

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(seed, **settings)
        check_channels_last(self.name, data_format)
        self.height, self.width = height, width

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        return None, self.height, self.width, one_image(self.name, input_shape)[3]

    def forward(self, x: Array) -> tuple[Array, Backward]:
        _, H, W, _ = x.shape
        if self.height >= H or self.width >= W:
            return self.forward_inference(x)
        down, across = (0.0, H - self.height + 1.0), (0.0, W - self.width + 1.0)
        ranges = AffineRanges(shift_rows=down, shift_columns=across, is_whole=True)
        matrices = ops.random_affine(x, ranges, self.generator.value)
        how: dict[str, Any] = {"interpolation": "nearest", "fill_mode": "nearest"}
        y = ops.affine_transform2d(x, matrices, (self.height, self.width), **how)
        shape = tuple(x.shape)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.affine_transform2d_backward(dy, matrices, shape, **how) if need_dx else None

        return y, backward

    def call(self, x: Array) -> Array:
        return self.forward_inference(x)[0]

    def forward_inference(self, x: Array) -> tuple[Array, Backward]:
        """The largest piece of the same shape as what is asked for, as large as that."""
        return resized(x, (self.height, self.width), "bilinear", crop=True)

    def get_config(self) -> dict[str, Any]:
        size = {"height": self.height, "width": self.width}
        return {**super().get_config(), **size, "data_format": "channels_last"}
