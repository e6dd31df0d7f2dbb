"""Follow the regularized leader."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, number

_SETTINGS = (
    "learning_rate_power",
    "initial_accumulator_value",
    "l1_regularization_strength",
    "l2_regularization_strength",
    "l2_shrinkage_regularization_strength",
    "beta",
)


class Ftrl(Optimizer):
    """n' = n + g^2, z += g + 2 shrinkage w - (n'^-p - n^-p) / learning_rate * w, and the w that is best for z:
    (clip(z, -l1, l1) - z) / (n'^-p / learning_rate + 2 l2 + beta / learning_rate), p being learning_rate_power.

    Source: McMahan et al., KDD 2013.
    """

    _settings: ClassVar[Settings] = {
        **dict.fromkeys(_SETTINGS, number(0)),
        "learning_rate_power": number(most=0),
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    @property
    def own_groups(self) -> Groups:
        return (("accumulator", "linear"),)

    def initial(self, name: str) -> float:
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def _stepper(self, rate: float) -> Step:
        l2 = 2 * self.l2_regularization_strength + (self.beta / rate if rate else 0.0)
        shrinkage = 2 * self.l2_shrinkage_regularization_strength
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        return self._rule("ftrl", rate, power, l1, l2, shrinkage)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in _SETTINGS}}
