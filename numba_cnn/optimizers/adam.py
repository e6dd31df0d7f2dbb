"""Steps from the first two moments of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, number


class Adam(Optimizer):
    """m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2), w -= alpha m / (sqrt(v) + epsilon).

    alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t: epsilon lies outside of
    the bias correction (the paper's "epsilon hat"), and is 1e-7. PyTorch's epsilon of 1e-8 lies
    inside.

    Source: Kingma & Ba, arXiv:1412.6980.
    """

    slots = 2
    _settings: ClassVar[Settings] = {
        "beta_1": number(0, below=1),
        "beta_2": number(0, below=1),
        "epsilon": number(0),
    }

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
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
