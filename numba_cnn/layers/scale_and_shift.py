"""gamma and beta of layers that normalize: weights, or, where a layer has none, numbers that change nothing."""

from __future__ import annotations

from typing import Any

from numba_cnn import initializers
from numba_cnn.parameter import Parameter
from numba_cnn.shapes import Shape


def scale_or_shift(layer: Any, name: str, shape: Shape, has: bool) -> Parameter:
    """The layer's weight "gamma" or "beta", by its own settings; or, if it does not have it, what changes nothing."""
    if not has:
        return neutral(layer, name, shape)
    made: Parameter = layer._add_parameter(
        name,
        shape,
        getattr(layer, f"{name}_initializer"),
        regularizer=getattr(layer, f"{name}_regularizer"),
        constraint=getattr(layer, f"{name}_constraint"),
    )
    return made


def neutral(layer: Any, name: str, shape: Shape) -> Parameter:
    """A "mean" or "beta" of zeros, a "variance" or "gamma" of ones; no weight of the layer's."""
    number = initializers.get("zeros" if name in ("mean", "beta") else "ones")
    return Parameter(name, f"{layer.name}/{name}", shape, number, trainable=False)
