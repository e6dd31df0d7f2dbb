"""Pooling of sequences, sequences with zeros or without their ends, longer sequences: layers of images of one row."""

from __future__ import annotations

from typing import Any

from numba_cnn.layers.average_pooling2d import AveragePooling2D
from numba_cnn.layers.global_pooling2d import (
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GlobalPooling2D,
)
from numba_cnn.layers.max_pooling2d import MaxPooling2D, Pooling2D
from numba_cnn.layers.sequences import Sequences, Steps, both, single
from numba_cnn.layers.shaping import Cropping2D, UpSampling2D, ZeroPadding2D


class _Pooling(Sequences, Pooling2D):
    def __init__(
        self,
        pool_size: Steps = 2,
        strides: Steps | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(
            (1, single(self, "pool_size", pool_size)),
            None if strides is None else (1, single(self, "strides", strides)),
            padding,
            data_format,
            **settings,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, **{key: config[key][1:] for key in ("pool_size", "strides")}}


class MaxPooling1D(_Pooling, MaxPooling2D):
    """The maximum of each window of `pool_size` steps, `strides` apart (None: the pool size)."""


class AveragePooling1D(_Pooling, AveragePooling2D):
    """The mean of each window of `pool_size` steps, `strides` apart (None: the pool size); padding does not count."""


class _GlobalPooling(Sequences, GlobalPooling2D):
    pass


class GlobalAveragePooling1D(_GlobalPooling, GlobalAveragePooling2D):
    """The mean of each channel of a sequence: (N, L, C) to rows (N, C), or (N, 1, C) with keepdims."""


class GlobalMaxPooling1D(_GlobalPooling, GlobalMaxPooling2D):
    """The maximum of each channel of a sequence: (N, L, C) to rows (N, C), or (N, 1, C) with keepdims."""


class ZeroPadding1D(Sequences, ZeroPadding2D):
    """Zeros before and behind sequences: one number, or (before, behind)."""

    def __init__(self, padding: Steps = 1, data_format: str | None = None, **settings: Any) -> None:
        super().__init__(((0, 0), both(self, "padding", padding)), data_format, **settings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": list(self.sides[1])}


class Cropping1D(Sequences, Cropping2D):
    """Sequences without their ends: one number, or (before, behind)."""

    _given_to_base = ("data_format",)

    def __init__(self, cropping: Steps = (1, 1), **settings: Any) -> None:
        super().__init__(((0, 0), both(self, "cropping", cropping)), **settings)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "cropping": list(self.sides[1])}
        return {key: value for key, value in config.items() if key != "data_format"}


class UpSampling1D(Sequences, UpSampling2D):
    """Sequences `size` times as long: each step repeated."""

    _given_to_base = "data_format", "interpolation"

    def __init__(self, size: Steps = 2, **settings: Any) -> None:
        super().__init__((1, single(self, "size", size)), **settings)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "size": self.size[1]}
        return {key: value for key, value in config.items() if key not in self._given_to_base}


MaxPool1D, AvgPool1D = MaxPooling1D, AveragePooling1D
GlobalMaxPool1D, GlobalAvgPool1D = GlobalMaxPooling1D, GlobalAveragePooling1D
