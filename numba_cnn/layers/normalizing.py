"""Normalization of samples by themselves: the same in training and in inference."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from numba_cnn import constraints, initializers, ops, registry, regularizers, shapes
from numba_cnn.layers.axes import of_shape
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.layers.scale_and_shift import scale_or_shift
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, axes, flag, integer, number
from numba_cnn.shapes import Shape

_DESCRIBED = {
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
}


class ScaledAndShifted(Layer):
    """gamma * normalized x + beta."""

    shows_unbuilt = True
    _settings: ClassVar[Settings] = {"epsilon": number(above=0), "center": flag, "scale": flag}

    def __init__(
        self,
        *,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Parameter
        self.beta: Parameter

    def _add_scale_and_shift(self, shape: Shape) -> None:
        self.gamma = scale_or_shift(self, "gamma", shape, self.scale)
        self.beta = scale_or_shift(self, "beta", shape, self.center)

    @property
    def states(self) -> list[Parameter]:
        if not self.built:
            return []
        return [parameter for parameter in (self.gamma, self.beta) if not parameter.trainable]

    def _normalized(self, x: Array, groups: int) -> tuple[Array, Backward]:
        """Samples, whose last axis gamma and beta go along."""
        gamma, beta = self.gamma.value.reshape(-1), self.beta.value.reshape(-1)
        y, mean, inverse = ops.group_norm(x, gamma, beta, groups, self.epsilon)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx, dgamma, dbeta = ops.group_norm_backward(
                dy.reshape(x.shape), x, gamma, mean, inverse
            )
            for has, parameter, gradient in (
                (self.scale, self.gamma, dgamma),
                (self.center, self.beta, dbeta),
            ):
                if has:
                    parameter.add_gradient(gradient.reshape(parameter.shape))
            return dx

        return y, backward

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **{
                f"{name}_{word}": registry.describe(kind, getattr(self, f"{name}_{word}"))
                for kind, word in _DESCRIBED.items()
                for name in ("beta", "gamma")
            },
        }


class LayerNormalization(ScaledAndShifted):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, by the statistics along the last axis, or the last few.

    axis    -1, or the list of the last axes; gamma and beta have their shape

    Ba et al., arXiv:1607.06450.
    """

    _settings: ClassVar[Settings] = {"axis": axes}
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {**Layer.inert, "rms_scaling": (False,)}

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(epsilon=epsilon, center=center, scale=scale, **settings)
        self.axis = axis

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        self._extents(input_shape)
        return super().compute_output_shape(input_shape)

    def _extents(self, input_shape: InputShape) -> Shape:
        """Those of the axes that are normalized."""
        input_shape = shapes.with_batch(self.name, input_shape)
        found = of_shape(self.name, self.axis, input_shape)
        if found[0] != len(input_shape) - len(found):
            raise ValueError(
                f"{self.name}: axis must be the last one, or a list of the last few. "
                f"Received: axis {self.axis} for inputs {input_shape}"
            )
        known = tuple(n for n in input_shape[found[0] :] if n is not None)
        if len(known) < len(found):
            raise ValueError(
                f"{self.name}: the extents of the axes that are normalized must be known. "
                f"Received: axis {self.axis} for inputs {input_shape}"
            )
        return known

    def _make_parameters(self, input_shape: InputShape) -> None:
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        self._add_scale_and_shift(self._extents(input_shape))

    def forward(self, x: Array) -> tuple[Array, Backward]:
        shape = tuple(x.shape)
        width = math.prod(self._extents(shape))
        y, rows_backward = self._normalized(x.reshape(-1, width), 1)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            dx: Array = rows_backward(dy)
            return dx.reshape(shape) if need_dx else None

        return y.reshape(shape), backward

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "rms_scaling": False}


def _groups(owner: str, name: str, value: Any) -> int:
    return -1 if isinstance(value, int) and value == -1 else shapes.count(owner, name, value)


class GroupNormalization(ScaledAndShifted):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, by the statistics of each group of channels of a sample.

    groups    a divisor of the number of channels; -1 for as many (instance normalization), 1 for a single group

    Wu & He, arXiv:1803.08494.
    """

    _settings: ClassVar[Settings] = {"groups": _groups, "axis": integer(-4)}

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(epsilon=epsilon, center=center, scale=scale, **settings)
        self.groups, self.axis = groups, axis

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        input_shape = shapes.with_batch(self.name, input_shape)
        if self.axis not in (-1, len(input_shape) - 1) or len(input_shape) < 2:
            raise ValueError(
                f"{self.name}: axis must be the last one, where channels lie here. "
                f"Received: axis {self.axis} for inputs {input_shape}"
            )
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(
                f"{self.name}: the number of channels must be known. Received: input_shape {input_shape}"
            )
        if self.groups != -1 and channels % self.groups:
            raise ValueError(
                f"{self.name}: groups must divide the number of channels. "
                f"Received: groups {self.groups} for inputs {input_shape}"
            )
        return super().compute_output_shape(input_shape)

    def _make_parameters(self, input_shape: InputShape) -> None:
        channels = input_shape[-1]
        assert channels is not None
        if self.groups == -1:
            self.groups = channels
        self._add_scale_and_shift((channels,))

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return self._normalized(x, self.groups)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}
