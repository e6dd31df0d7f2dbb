"""Optimizers with Keras's rules, numbers and order of state; one kernel per parameter, in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import registry
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class Optimizer:
    """Changes parameters against their gradients.

    state holds, for each parameter in turn, one list of arrays of its shape (Adam: momentum,
    velocity).
    """

    slots = 0  # arrays of state per parameter
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"ema_momentum": (0.99,)}

    def __init__(self, learning_rate: float, name: str | None) -> None:
        if not isinstance(learning_rate, int | float | np.number) or not learning_rate >= 0:
            raise ValueError(
                f"{type(self).__name__}: learning_rate must be a number of at least 0. "
                f"Received: {learning_rate!r}"
            )
        self.learning_rate = float(learning_rate)
        self.name = name or type(self).__name__.lower()
        self.iterations = 0
        self.state: list[list[Array]] = []
        self._shapes: list[tuple[int, ...]] | None = None
        self._backend: Any = None

    @property
    def built(self) -> bool:
        return self._shapes is not None

    def build(self, parameters: Sequence[Parameter], backend: Any) -> None:
        """Make the state for these parameters, zero, or bring the one there is to the backend."""
        parameter_shapes = [parameter.shape for parameter in parameters]
        if self._shapes not in (None, parameter_shapes):
            raise ValueError(
                f"{self.name}: an optimizer serves one model; its state is for weights of shapes "
                f"{self._shapes}. "
                f"Received: {parameter_shapes}"
            )
        if self._shapes is None:
            self.state = [
                [backend.asarray(np.zeros(p.shape, p.dtype)) for _ in range(self.slots)]
                for p in parameters
            ]
        elif self._backend is not backend:
            host = self._backend
            self.state = [[backend.asarray(host.to_numpy(a)) for a in slot] for slot in self.state]
        self._shapes, self._backend = parameter_shapes, backend

    def step(self, parameters: Sequence[Parameter]) -> None:
        """Update the parameters and give up their gradients, whose memory the next step reuses."""
        self.iterations += 1
        for parameter, state in zip(parameters, self.state, strict=True):
            self._update(parameter.value, parameter.gradient, *state)
            parameter.gradient = None

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        raise NotImplementedError

    def get_variables(self) -> list[np.ndarray]:
        """The state in Keras's order: iterations, learning rate, each parameter's arrays."""
        scalars = [np.array(self.iterations, np.int32), np.array(self.learning_rate, np.float32)]
        return scalars + [np.array(self._backend.to_numpy(a)) for slot in self.state for a in slot]

    def set_variables(self, variables: Sequence[np.ndarray]) -> None:
        """Take over what get_variables gave; ValueError if the shapes differ from the state's."""
        arrays = [a for slot in self.state for a in slot]
        expected, received = [(), (), *(a.shape for a in arrays)], [np.shape(v) for v in variables]
        if expected != received:
            raise ValueError(
                f"{self.name}: expected state of shapes {expected}. Received: {received}"
            )
        self.iterations, self.learning_rate = int(variables[0]), float(variables[1])
        moved = iter(
            [
                self._backend.asarray(np.array(v, a.dtype))
                for v, a in zip(variables[2:], arrays, strict=True)
            ]
        )
        self.state = [[next(moved) for _ in slot] for slot in self.state]

    def count_params(self) -> int:
        """The numbers of its state, iterations and learning rate included."""
        return 2 + sum(int(np.prod(a.shape)) for slot in self.state for a in slot)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "learning_rate": self.learning_rate}


class SGD(Optimizer):
    """v = momentum v - learning_rate g, w += v; nesterov: w += momentum v - learning_rate g."""

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must lie in 0..1. Received: {momentum!r}")
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = 1 if momentum else 0

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        velocity = state[0] if state else None
        self._backend.sgd(
            parameter, gradient, velocity, self.learning_rate, self.momentum, self.nesterov
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2, w -= learning_rate * g / sqrt(v + epsilon).

    Source: Hinton, lecture 6e, 2012.
    """

    slots = 1
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {**Optimizer.inert, "momentum": (0,)}

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        epsilon: float = 1e-7,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.rho, self.epsilon = rho, epsilon

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        self._backend.rmsprop(
            parameter, gradient, state[0], self.learning_rate, self.rho, self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


class Adam(Optimizer):
    """m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2), w -= alpha m / (sqrt(v) + epsilon).

    alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t: epsilon lies outside of
    the bias correction (the paper's "epsilon hat"), and is 1e-7. PyTorch's epsilon of 1e-8 lies
    inside.

    Source: Kingma & Ba, arXiv:1412.6980.
    """

    slots = 2

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1):
            raise ValueError(
                "Adam: beta_1 and beta_2 must lie in 0..1, 1 excluded. "
                f"Received: {beta_1!r}, {beta_2!r}"
            )
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._alpha = 0.0

    def step(self, parameters: Sequence[Parameter]) -> None:
        # Keras takes the powers in float32: so do we, for the same numbers.
        t, one = np.float32(self.iterations + 1), np.float32(1)
        correction = np.sqrt(one - np.float32(self.beta_2) ** t) / (
            one - np.float32(self.beta_1) ** t
        )
        self._alpha = float(np.float32(self.learning_rate) * correction)
        super().step(parameters)

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        momentum, velocity = state
        self._backend.adam(
            parameter,
            gradient,
            momentum,
            velocity,
            self._alpha,
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


_NAMES: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD, "rmsprop": RMSprop}


def get(identifier: Any) -> Optimizer:
    """An optimizer by name ("adam", "sgd", "rmsprop"), class, object or Keras configuration."""
    optimizer: Optimizer = registry.get("optimizer", identifier, _NAMES)
    return optimizer
