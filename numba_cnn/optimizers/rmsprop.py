"""Steps divided by the root of the mean square."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, flag, number


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2, w -= learning_rate * g / sqrt(v + epsilon).

    centered    takes the square of the mean gradient off v
    momentum    m = momentum * m + the step, w -= m

    Source: Hinton, lecture 6e, 2012; centered: Graves, arXiv:1308.0850.
    """

    _settings: ClassVar[Settings] = {
        "rho": number(0, 1),
        "momentum": number(0, 1),
        "epsilon": number(0),
        "centered": flag,
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    @property
    def own_groups(self) -> Groups:
        momentum: Groups = (("momentum",),) if self.momentum else ()
        return ("velocity",), *momentum, *((("average_gradient",),) if self.centered else ())

    def _stepper(self, rate: float) -> Step:
        rho, epsilon = self.rho, self.epsilon
        if not (self.momentum or self.centered):
            rmsprop = self._backend.rmsprop

            def step(parameter: Array, gradient: Array, velocity: Array) -> None:
                rmsprop(parameter, gradient, velocity, rate, rho, epsilon)

            return step
        rule = "rmsprop" + "_centered" * self.centered + "_momentum" * bool(self.momentum)
        return self._rule(rule, rate, rho, 1 - rho, epsilon, self.momentum)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
