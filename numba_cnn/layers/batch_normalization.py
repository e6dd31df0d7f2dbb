"""Batch normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import constraints, initializers, ops, registry, regularizers
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.layers.scale_and_shift import scale_or_shift
from numba_cnn.layers.synchronized import Statistics
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, flag, integer, number
from numba_cnn.shapes import Shape


class BatchNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, along the last axis.

    In training by the statistics of the batch, which the moving ones follow; in inference, and where the layer is
    frozen, by the moving ones. Ioffe & Szegedy, arXiv:1502.03167.

    synchronized    whether, in a distributed model, the batch is that of all ranks; else each rank takes the statistics
                    of its own share, and the moving ones are the ranks' mean
    """

    acts_in_training = True
    shows_unbuilt = True
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"renorm_momentum": (0.99,)}
    _settings: ClassVar[Settings] = {
        "axis": integer(-4),
        "momentum": number(0, 1),
        "epsilon": number(above=0),
        "center": flag,
        "scale": flag,
        "synchronized": flag,
    }
    _ranks: Any = None  # of a distributed model

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Parameter
        self.beta: Parameter
        self.moving_mean: Parameter
        self.moving_variance: Parameter

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(
                f"{self.name}: axis must be the last one, where channels lie here. "
                f"Received: axis {self.axis} for inputs {input_shape}"
            )
        return super().compute_output_shape(input_shape)

    def _make_parameters(self, input_shape: InputShape) -> None:
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(
                f"{self.name}: the number of channels must be known. Received: input_shape {input_shape}"
            )
        shape: Shape = (channels,)
        self.gamma = scale_or_shift(self, "gamma", shape, self.scale)
        self.beta = scale_or_shift(self, "beta", shape, self.center)
        self.moving_mean = self._add_parameter(
            "moving_mean", shape, self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self._add_parameter(
            "moving_variance", shape, self.moving_variance_initializer, trainable=False
        )

    @property
    def states(self) -> list[Parameter]:
        if not self.built:
            return []
        return [
            p for p in (self.gamma, self.beta) if not any(p is weight for weight in self.weights)
        ]

    def call(self, x: Array) -> Array:
        return ops.batch_norm_inference(x, *self._by_moving_statistics(), self.epsilon)

    def _by_moving_statistics(self) -> tuple[Array, Array, Array, Array]:
        parameters = self.gamma, self.beta, self.moving_mean, self.moving_variance
        gamma, beta, mean, variance = (parameter.value for parameter in parameters)
        return gamma, beta, mean, variance

    def forward_inference(self, x: Array) -> tuple[Array, Backward]:
        gamma, beta, mean, variance = self._by_moving_statistics()
        y = ops.batch_norm_inference(x, gamma, beta, mean, variance, self.epsilon)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx, dgamma, dbeta = ops.batch_norm_inference_backward(
                dy, x, gamma, mean, variance, self.epsilon
            )
            self._add_gradients(dgamma, dbeta)
            return dx

        return y, backward

    def _add_gradients(self, dgamma: Array, dbeta: Array) -> None:
        if self.trainable and self.scale:
            self.gamma.add_gradient(dgamma)
        if self.trainable and self.center:
            self.beta.add_gradient(dbeta)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        if not self.trainable:
            return self.forward_inference(x)
        gamma, beta, mean, variance = self._by_moving_statistics()
        if self.synchronized and self._ranks is not None:
            return self._forward_together(x, gamma, beta, mean, variance)
        y, batch_mean, inverse_deviation = ops.batch_norm(
            x, gamma, beta, mean, variance, self.momentum, self.epsilon
        )

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx, dgamma, dbeta = ops.batch_norm_backward(dy, x, gamma, batch_mean, inverse_deviation)
            self._add_gradients(dgamma, dbeta)
            return dx

        return y, backward

    def _forward_together(
        self, x: Array, gamma: Array, beta: Array, mean: Array, variance: Array
    ) -> tuple[Array, Backward]:
        """By the statistics of all ranks' shares of a batch."""
        statistics = Statistics(self._ranks, gamma, beta, self.epsilon)
        y, pull = statistics.forward(x, (mean, variance), self.momentum)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            dx, dgamma, dbeta = pull(dy, need_dx)
            self._add_gradients(dgamma, dbeta)
            return dx

        return y, backward

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_ranks": None}

    def get_config(self) -> dict[str, Any]:
        described = {
            "initializers": ("beta", "gamma", "moving_mean", "moving_variance"),
            "regularizers": ("beta", "gamma"),
            "constraints": ("beta", "gamma"),
        }
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "synchronized": self.synchronized,
            **{
                f"{name}_{kind[:-1]}": registry.describe(kind, getattr(self, f"{name}_{kind[:-1]}"))
                for kind, names in described.items()
                for name in names
            },
        }
