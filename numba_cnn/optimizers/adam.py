"""Steps from the moments of the gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn.ops import Array
from numba_cnn.optimizers.optimizer import Optimizer, Step
from numba_cnn.optimizers.state import Groups
from numba_cnn.settings import Settings, flag, number

_ONE = np.float32(
    1
)  # Keras takes the powers of constants in float32: so do we, for the same numbers


class _Moments(Optimizer):
    """What the optimizers by two moments share: settings and state."""

    _settings: ClassVar[Settings] = {
        "beta_1": number(0, below=1),
        "beta_2": number(0, below=1),
        "epsilon": number(0),
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    @property
    def own_groups(self) -> Groups:
        return (("momentum", "velocity"),)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


class Adam(_Moments):
    """m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2), w -= alpha m / (sqrt(v) + epsilon).

    alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t: epsilon lies outside of
    the bias correction (the paper's "epsilon hat"), and is 1e-7. PyTorch's epsilon of 1e-8 lies
    inside.

    amsgrad    divides by the root of the largest v so far

    Source: Kingma & Ba, arXiv:1412.6980; AMSGrad: Reddi et al., arXiv:1904.09237.
    """

    _settings: ClassVar[Settings] = {"amsgrad": flag}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **shared)
        self.amsgrad = amsgrad

    @property
    def own_groups(self) -> Groups:
        return (*super().own_groups, ("velocity_hat",)) if self.amsgrad else super().own_groups

    def _stepper(self, rate: float) -> Step:
        t = np.float32(self.iterations + 1)
        correction = np.sqrt(_ONE - np.float32(self.beta_2) ** t) / (
            _ONE - np.float32(self.beta_1) ** t
        )
        alpha = float(np.float32(rate) * correction)
        beta_1, beta_2, epsilon = self.beta_1, self.beta_2, self.epsilon
        if self.amsgrad:
            return self._rule("amsgrad", alpha, 1 - beta_1, 1 - beta_2, epsilon)
        adam = self._backend.adam

        def step(parameter: Array, gradient: Array, momentum: Array, velocity: Array) -> None:
            adam(parameter, gradient, momentum, velocity, alpha, beta_1, beta_2, epsilon)

        return step

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam, whose weights lose weight_decay * learning_rate of theirs in each step.

    Source: Loshchilov & Hutter, arXiv:1711.05101.
    """

    _settings: ClassVar[Settings] = {"weight_decay": number(0)}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **shared
        )


class Adamax(_Moments):
    """m += (g - m)(1 - beta_1), u = max(beta_2 u, |g|), w -= learning_rate / (1 - beta_1^t) m / (u + epsilon).

    Source: Kingma & Ba, arXiv:1412.6980, section 7.
    """

    @property
    def own_groups(self) -> Groups:
        return (("momentum", "norm"),)

    def _stepper(self, rate: float) -> Step:
        rest = _ONE - np.float32(self.beta_1) ** np.float32(self.iterations + 1)
        alpha = float(np.float32(rate) / rest)
        return self._rule("adamax", alpha, 1 - self.beta_1, self.beta_2, self.epsilon)


class Nadam(_Moments):
    """Adam with Nesterov's momentum. Source: Dozat, ICLR workshop 2016."""

    scalars: ClassVar[tuple[str, ...]] = ("u_product",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **shared)
        self._u_product = 1.0  # of the momentum's factors so far

    def _stepper(self, rate: float) -> Step:
        t, half, decay = np.float32(self.iterations + 1), np.float32(0.5), np.float32(0.96)
        now, after = (
            np.float32(self.beta_1) * (_ONE - half * decay**step) for step in (t, t + _ONE)
        )
        product = np.float32(self._u_product) * now
        self._u_product = float(product)
        root = np.sqrt(_ONE - np.float32(self.beta_2) ** t)  # of what v is divided by
        of_momentum = np.float32(rate) * after / (_ONE - product * after) * root
        of_gradient = np.float32(rate) * (_ONE - now) / (_ONE - product) * root
        constants = map(float, (of_momentum, of_gradient, np.float32(self.epsilon) * root))
        return self._rule("nadam", 1 - self.beta_1, 1 - self.beta_2, *constants)
