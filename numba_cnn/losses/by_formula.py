"""Losses by NumPy's formulas: on a device's arrays by way of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from numba_cnn import backends, formulas, nearest
from numba_cnn.losses.loss import Loss
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, flag, number


def reduced(
    name: str,
    formula: Callable[..., formulas.Formula],
    y_true: Array,
    y_pred: Array,
    sample_weight: Array | None,
    settings: dict[str, Any],
    ignored: int | None = None,
) -> tuple[Array, Array]:
    """(the mean of a formula's values by weight, the outputs' gradient); rows of the ignored label do not count."""
    given = {"y_true": y_true, "y_pred": y_pred}
    if sample_weight is not None:
        given["sample_weight"] = sample_weight
    backend = backends.of(name, **given)
    t, y = (np.asarray(backend.to_numpy(backend.asarray(a))) for a in (y_true, y_pred))
    classes = t.shape == y.shape[:-1]
    if t.shape != y.shape and not (classes and t.dtype.kind in "iu"):
        raise ValueError(
            f"{name}: y_true must have the shape of y_pred, {y.shape}. "
            f"Received: y_true of shape {t.shape}"
        )
    with np.errstate(all="ignore"):
        values, pull = formula(t, y, **settings)
        weights = np.ones_like(values)
        if sample_weight is not None:
            given_weights = np.asarray(backend.to_numpy(sample_weight), y.dtype)
            weights = broadcast(name, given_weights, values)
        if ignored is not None:
            kept = int(np.count_nonzero(t != ignored))
            weights = weights * y.dtype.type(values.size / (kept or 1))
        loss = np.asarray((values * weights).sum() / values.size, y.dtype)
        dy = np.ascontiguousarray(pull(weights / y.dtype.type(values.size)), y.dtype)
    return backend.asarray(loss), backend.asarray(dy)


def broadcast(name: str, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The weights of samples for each of their values; their mean where all samples have one value."""
    if values.ndim == 0:
        return np.asarray(weights.mean(), values.dtype)
    if weights.shape != values.shape[: weights.ndim]:
        raise ValueError(
            f"{name}: sample_weight must have the shape {values.shape} or its beginning. "
            f"Received: {weights.shape}"
        )
    weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    return np.broadcast_to(weights, values.shape)


class ByFormula(Loss):
    """A loss whose formula stands in formulas.py."""

    on_host: bool = True
    _formula: ClassVar[Callable[..., formulas.Formula]]
    _config: ClassVar[tuple[str, ...]] = ()  # the formula's settings

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        settings = {key: getattr(self, key) for key in self._config}
        return reduced(self.name, self._formula, y_true, y_pred, sample_weight, settings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{key: getattr(self, key) for key in self._config}}


def axes(owner: str, name: str, value: Any) -> Any:
    """None, an axis or a list of axes."""
    given = value if isinstance(value, list | tuple) else [value]
    if value is not None and not (
        given and all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in given)
    ):
        raise ValueError(
            f"{owner}: {name} must be None, an integer or a list of integers. "
            f"Received: {nearest.shown(value)}"
        )
    return list(value) if isinstance(value, list | tuple) else value


def _axis(owner: str, name: str, value: Any) -> int:
    if value is None or isinstance(value, list | tuple):
        raise ValueError(f"{owner}: {name} must be an integer. Received: {nearest.shown(value)}")
    axis: int = axes(owner, name, value)
    return axis


class MeanAbsolutePercentageError(ByFormula):
    """100 * the mean of |y - t| / |t|."""

    _formula = staticmethod(formulas.mean_absolute_percentage_error)

    def __init__(self, name: str = "mean_absolute_percentage_error") -> None:
        super().__init__(name)


class MeanSquaredLogarithmicError(ByFormula):
    """The mean of (log(1 + y) - log(1 + t))^2."""

    _formula = staticmethod(formulas.mean_squared_logarithmic_error)

    def __init__(self, name: str = "mean_squared_logarithmic_error") -> None:
        super().__init__(name)


class Huber(ByFormula):
    """The mean of (y - t)^2 / 2 up to |y - t| = delta, and a straight line beyond."""

    _settings: ClassVar[Settings] = {"delta": number(above=0)}
    _formula = staticmethod(formulas.huber)
    _config = ("delta",)

    def __init__(self, delta: float = 1.0, name: str = "huber_loss") -> None:
        super().__init__(name)
        self.delta = delta


class LogCosh(ByFormula):
    """The mean of log(cosh(y - t))."""

    _formula = staticmethod(formulas.log_cosh)

    def __init__(self, name: str = "log_cosh") -> None:
        super().__init__(name)


class KLDivergence(ByFormula):
    """The sum of t * log(t / y), both clipped to 1e-7..1."""

    _formula = staticmethod(formulas.kl_divergence)

    def __init__(self, name: str = "kl_divergence") -> None:
        super().__init__(name)


class Poisson(ByFormula):
    """The mean of y - t * log(y)."""

    _formula = staticmethod(formulas.poisson)

    def __init__(self, name: str = "poisson") -> None:
        super().__init__(name)


class Hinge(ByFormula):
    """The mean of max(1 - t * y, 0), for targets of -1 and 1; 0 counts as -1 where all are 0 or 1."""

    _formula = staticmethod(formulas.hinge)

    def __init__(self, name: str = "hinge") -> None:
        super().__init__(name)


class SquaredHinge(ByFormula):
    """The mean of max(1 - t * y, 0)^2, for targets as Hinge's."""

    _formula = staticmethod(formulas.squared_hinge)

    def __init__(self, name: str = "squared_hinge") -> None:
        super().__init__(name)


class CategoricalHinge(ByFormula):
    """max(the largest output of another class - that of the right one + 1, 0), for one-hot rows."""

    _formula = staticmethod(formulas.categorical_hinge)

    def __init__(self, name: str = "categorical_hinge") -> None:
        super().__init__(name)


class CosineSimilarity(ByFormula):
    """-1 times the cosine of the angle between targets and outputs."""

    _settings: ClassVar[Settings] = {"axis": _axis}
    _formula = staticmethod(formulas.cosine_similarity)
    _config = ("axis",)

    def __init__(self, axis: int = -1, name: str = "cosine_similarity") -> None:
        super().__init__(name)
        self.axis = axis


class BinaryFocalCrossentropy(ByFormula):
    """Binary cross-entropy times (1 - the probability of the target)^gamma; Lin et al., arXiv:1708.02002."""

    _settings: ClassVar[Settings] = {
        "apply_class_balancing": flag,
        "alpha": number(0, 1),
        "gamma": number(0),
        "from_logits": flag,
        "label_smoothing": number(0, 1),
    }
    _formula = staticmethod(formulas.binary_focal_crossentropy)
    _config = "apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing"

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(name)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalFocalCrossentropy(ByFormula):
    """Categorical cross-entropy times alpha * (1 - p)^gamma; Lin et al., arXiv:1708.02002."""

    _settings: ClassVar[Settings] = {
        "alpha": number(0),
        "gamma": number(0),
        "from_logits": flag,
        "label_smoothing": number(0, 1),
    }
    _formula = staticmethod(formulas.categorical_focal_crossentropy)
    _config = "alpha", "gamma", "from_logits", "label_smoothing"

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(name)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalGeneralizedCrossEntropy(ByFormula):
    """(1 - p^q) / q of the right class's probability; Zhang & Sabuncu, arXiv:1805.07836."""

    has_classes = True
    _settings: ClassVar[Settings] = {"q": number(above=0, below=1)}
    _formula = staticmethod(formulas.categorical_generalized_cross_entropy)
    _config = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        name: str = "categorical_generalized_cross_entropy",
    ) -> None:
        super().__init__(name)
        self.q = q
