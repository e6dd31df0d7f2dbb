"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, flag, number


class SGD(Optimizer):
    """v = momentum v - learning_rate g, w += v; nesterov: w += momentum v - learning_rate g."""

    _settings: ClassVar[Settings] = {"momentum": number(0, 1), "nesterov": flag}

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.momentum, self.nesterov = momentum, nesterov

    @property
    def own_groups(self) -> Groups:
        return (("momentum",),) if self.momentum else ()

    def _stepper(self, rate: float) -> Step:
        sgd, momentum, nesterov = self._backend.sgd, self.momentum, self.nesterov

        def step(parameter: Array, gradient: Array, velocity: Array | None = None) -> None:
            sgd(parameter, gradient, velocity, rate, momentum, nesterov)

        return step

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
