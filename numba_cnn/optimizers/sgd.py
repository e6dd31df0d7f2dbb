"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer
from numba_cnn.settings import Settings, flag, number


class SGD(Optimizer):
    """v = momentum v - learning_rate g, w += v; nesterov: w += momentum v - learning_rate g."""

    _settings: ClassVar[Settings] = {"momentum": number(0, 1), "nesterov": flag}

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.momentum, self.nesterov = momentum, nesterov

    @property
    def slots(self) -> int:  # type: ignore[override]
        return 1 if self.momentum else 0

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        velocity = state[0] if state else None
        self._backend.sgd(
            parameter, gradient, velocity, self.learning_rate, self.momentum, self.nesterov
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
