"""Steps of one size, by the sign of a momentum."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, number


class Lion(Optimizer):
    """w -= learning_rate * sign(beta_1 m + (1 - beta_1) g), then m = beta_2 m + (1 - beta_2) g.

    Source: Chen et al., arXiv:2302.06675.
    """

    _settings: ClassVar[Settings] = {"beta_1": number(above=0, most=1), "beta_2": number(0, 1)}

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **shared: Any
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_1, self.beta_2 = beta_1, beta_2

    @property
    def own_groups(self) -> Groups:
        return (("momentum",),)

    def _stepper(self, rate: float) -> Step:
        beta_1, beta_2 = self.beta_1, self.beta_2
        return self._rule("lion", rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
