"""Initial values of weights: Keras's names, formulas and seeds."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, registry, session
from numba_cnn.initializers.initializer import Initializer, Random
from numba_cnn.initializers.matrices import Identity, Orthogonal
from numba_cnn.settings import Settings, choice, number

_STDDEV_OF_TRUNCATED_NORMAL = (
    0.87962566103423978  # of a standard normal cut at 2 standard deviations
)


class Constant(Initializer):
    """One value everywhere."""

    _settings: ClassVar[Settings] = {"value": number()}

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return np.full(shape, self.value, dtype)


class Zeros(Initializer):
    """0 everywhere."""

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """1 everywhere."""

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return np.ones(shape, dtype)


class RandomUniform(Random):
    """Uniform in [minval, maxval)."""

    _settings: ClassVar[Settings] = {"minval": number(), "maxval": number()}

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._generator().uniform(self.minval, self.maxval, shape).astype(dtype)


class RandomNormal(Random):
    """Normal."""

    _settings: ClassVar[Settings] = {"mean": number(), "stddev": number(0)}

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._generator().normal(self.mean, self.stddev, shape).astype(dtype)


class TruncatedNormal(RandomNormal):
    """Normal, drawn again beyond two standard deviations."""

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        values = _truncated_normal(self._generator(), shape)
        return (self.mean + self.stddev * values).astype(dtype)


class VarianceScaling(Random):
    """Zero mean, and the variance scale / n, where n counts what the weight connects: "fan_in",
    "fan_out", "fan_avg".

    distribution    "uniform", "normal" or "truncated_normal"
    """

    _settings: ClassVar[Settings] = {
        "scale": number(above=0),
        "mode": choice("fan_in", "fan_out", "fan_avg"),
        "distribution": choice("uniform", "normal", "truncated_normal"),
    }

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        self.scale, self.mode, self.distribution = scale, mode, distribution
        super().__init__(seed)

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance, generator = self.scale / max(1.0, n), self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape).astype(dtype)
        if self.distribution == "normal":
            return generator.normal(0, math.sqrt(variance), shape).astype(dtype)
        stddev = math.sqrt(variance) / _STDDEV_OF_TRUNCATED_NORMAL
        return (stddev * _truncated_normal(generator, shape)).astype(dtype)


class _Scaled(VarianceScaling):
    """VarianceScaling with everything but the seed given by the class."""

    parameters: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.parameters, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)). Source: Glorot & Bengio, AISTATS 2010."""

    parameters = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out).

    Source: Glorot & Bengio, AISTATS 2010.
    """

    parameters = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in +-sqrt(6 / fan_in). Source: He et al., arXiv:1502.01852."""

    parameters = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in. Source: He et al., arXiv:1502.01852."""

    parameters = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in +-sqrt(3 / fan_in). Source: LeCun et al., Efficient BackProp, 1998."""

    parameters = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in. Source: LeCun et al., Efficient BackProp, 1998."""

    parameters = (1.0, "fan_in", "truncated_normal")


_NAMES: dict[str, type[Initializer]] = {
    session.snake_case(cls.__name__): cls
    for cls in (
        Zeros,
        Ones,
        Constant,
        RandomUniform,
        RandomNormal,
        TruncatedNormal,
        VarianceScaling,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
        Identity,
        Orthogonal,
    )
}
_NAMES |= {
    "zero": Zeros,
    "one": Ones,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


@nearest.keywords
def get(identifier: Any) -> Initializer:
    """An initializer by name ("glorot_uniform"), class, object or Keras configuration."""
    initializer: Initializer = registry.get("initializer", identifier, _NAMES, Initializer)
    return initializer


# Keras's other names of the classes.
constant, identity, ones, orthogonal, zeros = Constant, Identity, Ones, Orthogonal, Zeros
glorot_normal, he_normal, lecun_normal = GlorotNormal, HeNormal, LecunNormal
glorot_uniform, he_uniform, lecun_uniform = GlorotUniform, HeUniform, LecunUniform
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling

serialize, deserialize = registry.both_ways("initializers", get)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight: its inputs per output and outputs per input, over a window."""
    if len(shape) < 2:
        extent = shape[0] if shape else 1
        return extent, extent
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal values, drawn again until all lie within two standard deviations."""
    values = generator.standard_normal(shape)
    beyond = np.abs(values) > 2
    while beyond.any():
        values[beyond] = generator.standard_normal(np.count_nonzero(beyond))
        beyond = np.abs(values) > 2
    return values


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]
__getattr__ = nearest.attributes(__name__, __all__)
