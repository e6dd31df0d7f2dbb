"""Steps divided by what the gradients of each weight have been."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, number


class Adagrad(Optimizer):
    """a += g^2, w -= learning_rate * g / sqrt(a + epsilon). Source: Duchi et al., JMLR 12, 2011."""

    _settings: ClassVar[Settings] = {
        "initial_accumulator_value": number(0),
        "epsilon": number(0),
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    @property
    def own_groups(self) -> Groups:
        return (("accumulator",),)

    def initial(self, name: str) -> float:
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def _stepper(self, rate: float) -> Step:
        return self._rule("adagrad", rate, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


class Adadelta(Optimizer):
    """a = rho a + (1 - rho) g^2, d = -sqrt(b + epsilon) / sqrt(a + epsilon) g, b = rho b + (1 - rho) d^2,
    w += learning_rate * d.

    Source: Zeiler, arXiv:1212.5701.
    """

    _settings: ClassVar[Settings] = {"rho": number(0, 1), "epsilon": number(0)}

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **shared: Any
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.rho, self.epsilon = rho, epsilon

    @property
    def own_groups(self) -> Groups:
        return (("accumulated_grad", "accumulated_delta_var"),)

    def _stepper(self, rate: float) -> Step:
        return self._rule("adadelta", rate, self.rho, 1 - self.rho, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
