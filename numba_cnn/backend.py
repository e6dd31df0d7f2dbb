"""The words of keras.backend that scripts use and that need no tensors: one layout, one float type."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.config import clear_session
from numba_cnn.layers.tensor import is_keras_tensor
from numba_cnn.settings import number

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "int_shape",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]

_epsilon = 1e-7
_positive = number(above=0)


def backend() -> str:
    """The name of what computes: "numba_cnn"."""
    return "numba_cnn"


def image_data_format() -> str:
    """The layout of images, "channels_last": (H, W, C)."""
    return "channels_last"


@nearest.keywords
def set_image_data_format(data_format: str) -> None:
    """Taken where it says "channels_last"; ValueError else."""
    if not isinstance(data_format, str) or data_format != "channels_last":
        raise ValueError(
            'set_image_data_format: data_format must be "channels_last", the only layout here; x.transpose(0, 2, 3, 1) '
            f"brings channels to the end. Received: {nearest.shown(data_format)}"
        )


def floatx() -> str:
    """The type of numbers, "float32"."""
    return "float32"


@nearest.keywords
def set_floatx(value: str) -> None:
    """Taken where it says "float32"; ValueError else."""
    if not isinstance(value, str) or value != "float32":
        raise ValueError(
            f'set_floatx: value must be "float32", in which models compute. Received: {nearest.shown(value)}'
        )


def epsilon() -> float:
    """A small number that scripts add to divisors; 1e-7 unless set_epsilon() said otherwise."""
    return _epsilon


@nearest.keywords
def set_epsilon(value: float) -> None:
    """Choose what epsilon() returns; layers and losses have constants of their own."""
    global _epsilon
    _epsilon = _positive("set_epsilon", "value", value)


@nearest.keywords
def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """The shape of an array, a weight, or of what a layer returned; None for what has none."""
    shape = getattr(x, "shape", None)
    return None if shape is None else tuple(shape)


@nearest.keywords
def is_float_dtype(dtype: Any) -> bool:
    """Whether a type is one of floating-point numbers, by its name or NumPy's."""
    return _name_of("is_float_dtype", dtype).startswith(("float", "bfloat"))


@nearest.keywords
def is_int_dtype(dtype: Any) -> bool:
    """Whether a type is one of integers, signed or not; bool is none."""
    return _name_of("is_int_dtype", dtype).startswith(("int", "uint"))


def _name_of(op: str, dtype: Any) -> str:
    """The name of a type; ValueError for what is none."""
    try:
        return (
            "bfloat16" if isinstance(dtype, str) and dtype == "bfloat16" else str(np.dtype(dtype))
        )
    except TypeError as error:
        raise ValueError(
            f"{op}: dtype must be a type of numbers or its name. Received: {nearest.shown(dtype)}"
        ) from error


__getattr__ = nearest.attributes(__name__, __all__)
