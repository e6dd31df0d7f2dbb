"""Learning rates that follow the number of steps: functions of the step, in float32 as in Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, registry
from numba_cnn.settings import Checked, Settings, flag, integer, number, optional, real, text

_f = np.float32
_ONE, _HALF = _f(1), _f(0.5)
_DECAY = "decay"


class LearningRateSchedule(Checked):
    """A function of the number of steps so far that gives the learning rate of the next."""

    _settings: ClassVar[Settings] = {"name": text}
    _unexplained: ClassVar[tuple[str, ...]] = ("rate",)
    _config: ClassVar[tuple[str, ...]] = ()  # what get_config() has beside the name
    name: str

    def __call__(self, step: int) -> float:
        with np.errstate(all="ignore"):
            return float(self.rate(_f(_count(type(self).__name__, "step", step))))

    @property
    def is_of_decay(self) -> bool:
        """Whether this is what decay= means; the name says it, which files have."""
        return self.name == _DECAY

    def rate(self, step: np.float32) -> Any:
        """The learning rate of a step, in float32."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**{key: getattr(self, key) for key in self._config}, "name": self.name}


_count = integer(0)
_rates: Settings = {"initial_learning_rate": number(0), "decay_steps": number(above=0)}


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps); staircase: a whole exponent."""

    _settings: ClassVar[Settings] = {**_rates, "decay_rate": number(0), "staircase": flag}
    _config = "initial_learning_rate", "decay_steps", "decay_rate", "staircase"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def rate(self, step: np.float32) -> Any:
        power = step / _f(self.decay_steps)
        power = np.floor(power) if self.staircase else power
        return _f(self.initial_learning_rate) * _f(self.decay_rate) ** power


class InverseTimeDecay(ExponentialDecay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); staircase: of the whole quotient."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def rate(self, step: np.float32) -> Any:
        part = step / _f(self.decay_steps)
        part = np.floor(part) if self.staircase else part
        return _f(self.initial_learning_rate) / (_ONE + _f(self.decay_rate) * part)


def _numbers(owner: str, name: str, value: Any) -> list[float]:
    """A list of finite numbers, whole ones as integers."""
    numbers = list(value) if isinstance(value, list | tuple) else []
    if not numbers or any(real(one) is None for one in numbers):
        raise ValueError(
            f"{owner}: {name} must be a list of finite numbers. Received: {nearest.shown(value)}"
        )
    return [int(one) if isinstance(one, int | np.integer) else float(one) for one in numbers]


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with the step boundaries[0], then values[1], and so on; one value more than boundaries."""

    _settings: ClassVar[Settings] = {"boundaries": _numbers, "values": _numbers}
    _config = "boundaries", "values"

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        self.boundaries, self.values, self.name = boundaries, values, name
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: boundaries must be one fewer than values. "
                f"Received: {len(self.boundaries)} boundaries, {len(self.values)} values"
            )
        if min(self.values) < 0:
            raise ValueError(
                "PiecewiseConstantDecay: values must be at least 0. "
                f"Received: values {nearest.shown(values)}"
            )

    def rate(self, step: np.float32) -> Any:
        return self.values[sum(bool(step > boundary) for boundary in self.boundaries)]


class PolynomialDecay(LearningRateSchedule):
    """From initial_learning_rate to end_learning_rate in decay_steps: (initial - end) * (1 - step / decay_steps) **
    power + end; cycle: the first multiple of decay_steps that is not behind the step stands for them.
    """

    _settings: ClassVar[Settings] = {
        **_rates,
        "end_learning_rate": number(0),
        "power": number(),
        "cycle": flag,
    }
    _config = "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power = end_learning_rate, power
        self.cycle, self.name = cycle, name

    def rate(self, step: np.float32) -> Any:
        steps, end = _f(self.decay_steps), _f(self.end_learning_rate)
        if self.cycle:
            steps = steps * (_ONE if step == 0 else np.ceil(step / steps))
        else:
            step = min(step, steps)
        left = (_ONE - step / steps) ** _f(self.power)
        return (_f(self.initial_learning_rate) - end) * left + end


class CosineDecay(LearningRateSchedule):
    """Half a wave of a cosine, from initial_learning_rate to alpha times that in decay_steps.

    warmup_target, warmup_steps    before it, the rate goes in a straight line from initial_learning_rate to the target,
                                   from which it then falls

    Source: Loshchilov & Hutter, arXiv:1608.03983.
    """

    _settings: ClassVar[Settings] = {
        **_rates,
        "alpha": number(0),
        "warmup_target": optional(number(0)),
        "warmup_steps": number(0),
    }
    _config = "initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def rate(self, step: np.float32) -> Any:
        steps, warmup, start = (
            _f(self.decay_steps),
            _f(self.warmup_steps),
            _f(self.initial_learning_rate),
        )
        if self.warmup_target is None:
            return self._fall(min(step, steps), steps, start)
        target = _f(self.warmup_target)
        step = min(step, steps + warmup)
        if step < warmup:
            return (target - start) * (step / warmup) + start
        return self._fall(step - warmup, steps, target)

    def _fall(self, step: np.float32, steps: np.float32, start: np.float32) -> Any:
        cosine = _HALF * (_ONE + np.cos(_f(math.pi) * (step / steps)))
        return start * ((_ONE - _f(self.alpha)) * cosine + _f(self.alpha))


class CosineDecayRestarts(LearningRateSchedule):
    """Half waves of a cosine one after the other: the first of first_decay_steps, each t_mul times as long and m_mul
    times as high as the one before.

    Source: Loshchilov & Hutter, arXiv:1608.03983.
    """

    _settings: ClassVar[Settings] = {
        "initial_learning_rate": number(0),
        "first_decay_steps": number(above=0),
        "t_mul": number(above=0),
        "m_mul": number(0),
        "alpha": number(0),
    }
    _config = "initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha"

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate, self.first_decay_steps = (
            initial_learning_rate,
            first_decay_steps,
        )
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def rate(self, step: np.float32) -> Any:
        part, t_mul, alpha = step / _f(self.first_decay_steps), _f(self.t_mul), _f(self.alpha)
        if t_mul == _ONE:
            restart = np.floor(part)
            part = part - restart
        else:
            restart = np.floor(np.log(_ONE - part * (_ONE - t_mul)) / np.log(t_mul))
            before = (_ONE - t_mul**restart) / (_ONE - t_mul)
            part = (part - before) / t_mul**restart
        wave = _HALF * _f(self.m_mul) ** restart * (_ONE + np.cos(_f(math.pi) * part))
        return _f(self.initial_learning_rate) * ((_ONE - alpha) * wave + alpha)


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "get",
]
_CLASSES = {name: globals()[name] for name in __all__[:-1] if name != "LearningRateSchedule"}


@nearest.keywords
def get(identifier: Any) -> LearningRateSchedule:
    """A schedule from an object or a Keras configuration."""
    schedule: LearningRateSchedule = registry.get(
        "schedule", identifier, _CLASSES, LearningRateSchedule
    )
    return schedule


def decaying(rate: float, decay: float) -> InverseTimeDecay:
    """What decay= of Keras 2 means, whose rate callbacks may set: rate / (1 + decay * step)."""
    return InverseTimeDecay(rate, 1, decay, name=_DECAY)


def learning_rate(owner: str, name: str, value: Any) -> Any:
    """A number, or a schedule, also as files have it."""
    if isinstance(value, LearningRateSchedule):
        return value
    try:
        return get(value) if isinstance(value, Mapping) else number(0)(owner, name, value)
    except ValueError as error:
        raise ValueError(
            f"{owner}: {name} must be a finite number of at least 0 or an object of optimizers.schedules. "
            f"Received: {nearest.shown(value)}"
        ) from error


__getattr__ = nearest.attributes(__name__, __all__)
