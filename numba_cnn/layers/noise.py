"""Layers of chance: they act in training alone.

Each draws from a generator of its own, (seed, counter), which its kernels count up: a batch gets the same numbers
whatever the number of threads, and a recorded step new ones each time.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, ops, session
from numba_cnn.layers.images import check_channels_last, one_image, one_sequence
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, integer, number, optional
from numba_cnn.shapes import Shape

_SELU_LEAST = -1.0507009873554805 * 1.6732632423543772


def _state(seed: int, shape: Shape) -> np.ndarray:
    """A generator that has drawn nothing yet: seed, counter, and which sample of a whole batch its first one is."""
    return np.array([seed, 0, 0], np.int64)


class Chance(Layer):
    """A layer that draws."""

    acts_in_training = True
    _settings: ClassVar[Settings] = {"seed": optional(integer(0))}

    def __init__(self, seed: int | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.seed = seed
        start = session.new_seed() if self.seed is None else self.seed
        self.generator: Parameter = Parameter(
            "seed_generator_state", f"{self.name}/seed_generator", (3,), partial(_state, start)
        )

    @property
    def states(self) -> list[Parameter]:
        return [self.generator]

    def call(self, x: Array) -> Array:
        return x

    def forward_inference(self, x: Array) -> tuple[Array, Backward]:
        return x, lambda dy, need_dx=True: dy

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _no_shape(owner: str, name: str, value: Any) -> None:
    if value is not None:
        raise ValueError(
            f"{owner}: {name} must be None; SpatialDropout2D drops whole channels of images. "
            f"Received: {nearest.shown(value)}"
        )


class Dropout(Chance):
    """Sets a share `rate` of the inputs to 0 and scales the others up by 1 / (1 - rate)."""

    _settings: ClassVar[Settings] = {"rate": number(0, below=1), "noise_shape": _no_shape}
    _spatial: ClassVar[bool] = False

    def __init__(
        self, rate: float, noise_shape: None = None, seed: int | None = None, **settings: Any
    ) -> None:
        super().__init__(seed, **settings)
        self.rate, self.noise_shape = rate, noise_shape

    def forward(self, x: Array) -> tuple[Array, Backward]:
        if not self.rate:
            return x, lambda dy, need_dx=True: dy
        generator, rate, spatial = self.generator.value, self.rate, self._spatial
        y, used = ops.dropout(x, rate, generator, spatial=spatial)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            if not need_dx:
                return None
            return ops.dropout_backward(dy, rate, generator, used, spatial=spatial)

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    _spatial = True
    _given_to_base = ("noise_shape",)

    def __init__(self, rate: float, seed: int | None = None, **settings: Any) -> None:
        super().__init__(rate, None, seed, **settings)

    def get_config(self) -> dict[str, Any]:
        """As Keras writes it, without `trainable`."""
        config = super().get_config()
        return {
            key: value for key, value in config.items() if key not in ("trainable", "noise_shape")
        }


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of sequences."""

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        one_sequence(self.name, input_shape)
        return super().compute_output_shape(input_shape)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images."""

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **settings: Any
    ) -> None:
        super().__init__(rate, seed, **settings)
        check_channels_last(self.name, data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": "channels_last"}

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        one_image(self.name, input_shape)
        return super().compute_output_shape(input_shape)


class AlphaDropout(Dropout):
    """Dropout behind selu: what is dropped gets selu's least value, and mean and variance stay as they are.

    Klambauer et al., arXiv:1706.02515.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Dropout of the distances from the least value, which come out 1 / (1 - rate) times as large."""
        if not self.rate:
            return x, lambda dy, need_dx=True: dy
        kept = 1 - self.rate
        a = (kept * (1 + self.rate * _SELU_LEAST**2)) ** -0.5
        before = {"offset": -_SELU_LEAST}
        after = {"scale": a * kept, "offset": a * _SELU_LEAST * (1 - self.rate)}
        distances = ops.activate(x, "affine", **before)
        dropped, dropout_backward = super().forward(distances)
        y = ops.activate(dropped, "affine", **after)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return dropout_backward(ops.activate_backward(dy, y, "affine", **after), need_dx)

        return y, backward


class GaussianDropout(Chance):
    """Multiplies by normal numbers of mean 1 and variance rate / (1 - rate)."""

    _settings: ClassVar[Settings] = {"rate": number(0, below=1)}

    def __init__(self, rate: float, seed: int | None = None, **settings: Any) -> None:
        super().__init__(seed, **settings)
        self.rate = rate

    def forward(self, x: Array) -> tuple[Array, Backward]:
        if not self.rate:
            return x, lambda dy, need_dx=True: dy
        stddev = math.sqrt(self.rate / (1 - self.rate))
        ones = ops.activate(x, "affine", scale=0.0, offset=1.0)
        factors, _ = ops.gaussian_noise(ones, stddev, self.generator.value)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.multiply(dy, factors) if need_dx else None

        return ops.multiply(x, factors), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class GaussianNoise(Chance):
    """Adds normal noise of a standard deviation."""

    _settings: ClassVar[Settings] = {"stddev": number(0)}

    def __init__(self, stddev: float, seed: int | None = None, **settings: Any) -> None:
        super().__init__(seed, **settings)
        self.stddev = stddev

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y, _ = ops.gaussian_noise(x, self.stddev, self.generator.value)
        return y, lambda dy, need_dx=True: dy

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}
