"""Layers that light images otherwise, at random, in training alone; and what random layers of images share."""

from __future__ import annotations

import math
from typing import Any

from numba_cnn import nearest, ops
from numba_cnn.layers.images import one_image
from numba_cnn.layers.layer import Backward, InputShape
from numba_cnn.layers.noise import Chance
from numba_cnn.ops import Array
from numba_cnn.settings import real

Interval = tuple[float, float]


class ChanceOfImages(Chance):
    """A random layer that leaves the shape of images as it is."""

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        one_image(self.name, input_shape)
        return super().compute_output_shape(input_shape)


class _Lit(ChanceOfImages):
    """A random layer of colours, of which none leaves value_range."""

    def __init__(
        self, value_range: Any = (0, 255), seed: int | None = None, **settings: Any
    ) -> None:
        super().__init__(seed, **settings)
        self.value_range = sorted(interval(self.name, "value_range", value_range, most=math.inf))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": list(self.value_range)}


class RandomBrightness(_Lit):
    """Images with a share of the value range added: `factor` is the most, or (least, most)."""

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(value_range, seed, **settings)
        self.factor = interval(self.name, "factor", factor)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        low, high = self.value_range
        least, most = (share * (high - low) for share in self.factor)
        return self._lit(x, ops.random_uniform(x, least, most, self.generator.value))

    def _lit(self, x: Array, deltas: Array) -> tuple[Array, Backward]:
        low, high = self.value_range

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.adjust_brightness_backward(dy, x, deltas, low, high) if need_dx else None

        return ops.adjust_brightness(x, deltas, low, high), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": list(self.factor)}


class RandomContrast(_Lit):
    """Images whose colours lie 1 - lower to 1 + upper times as far from their mean; one factor stands for both."""

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(value_range, seed, **settings)
        self.factor = _shares(self.name, factor)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        lower, upper = self.factor
        return self._lit(x, ops.random_uniform(x, 1 - lower, 1 + upper, self.generator.value))

    def _lit(self, x: Array, factors: Array) -> tuple[Array, Backward]:
        bounds = self.value_range
        y, mean = ops.adjust_contrast(x, factors, *bounds)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.adjust_contrast_backward(dy, x, mean, factors, *bounds) if need_dx else None

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": list(self.factor)}


def interval(name: str, word: str, value: Any, most: float = 1.0) -> Interval:
    """(least, most) of a pair, or -value and value of a number."""
    pair = (
        value
        if isinstance(value, list | tuple)
        else (-abs(value), abs(value))
        if real(value) is not None
        else ()
    )
    numbers = [real(one) for one in pair]
    if len(numbers) != 2 or any(one is None or abs(one) > most for one in numbers):
        allowed = "" if most == math.inf else f" between -{most:g} and {most:g}"
        raise ValueError(
            f"{name}: {word} must be a number or a pair of numbers{allowed}. "
            f"Received: {nearest.shown(value)}"
        )
    low, high = sorted(float(one) for one in numbers if one is not None)
    return low, high


def _shares(name: str, factor: Any) -> Interval:
    pair = factor if isinstance(factor, list | tuple) else (factor, factor)
    numbers = [real(one) for one in pair]
    if len(numbers) != 2 or any(one is None or not 0 <= one <= 1 for one in numbers):
        raise ValueError(
            f"{name}: factor must be a number or a pair of numbers between 0 and 1. "
            f"Received: {nearest.shown(factor)}"
        )
    lower, upper = (float(one) for one in numbers if one is not None)
    return lower, upper
