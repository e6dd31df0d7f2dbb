"""Steps divided by the root of the mean square."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer
from numba_cnn.settings import Settings, number


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2, w -= learning_rate * g / sqrt(v + epsilon).

    Source: Hinton, lecture 6e, 2012.
    """

    slots = 1
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {**Optimizer.inert, "momentum": (0,)}
    _settings: ClassVar[Settings] = {"rho": number(0, 1), "epsilon": number(0)}

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
