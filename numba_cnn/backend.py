"""The words of keras.backend that scripts use and that need no tensors: one layout, one float type."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.config import (
    backend,
    clear_session,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from numba_cnn.layers.tensor import is_keras_tensor

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
