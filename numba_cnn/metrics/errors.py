"""Metrics that are means of what losses are."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import formulas, ops
from numba_cnn.metrics.metric import Metric
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, flag, integer, number


class ByFormula(Metric):
    """The mean of one of formulas.py's."""

    has_kernels = False
    _config: ClassVar[tuple[str, ...]] = ()  # the formula's settings

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        settings = {name: getattr(self, name) for name in self._config}
        values: np.ndarray = getattr(formulas, self.formula)(y_true, y_pred, **settings)[0]
        return values

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self._config}}


class MeanSquaredError(ByFormula):
    """The mean of the squared differences."""

    has_kernels = True
    formula = "mean_squared_error"

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.mean_squared_error(y_pred, y_true)[0]


class MeanAbsoluteError(ByFormula):
    """The mean of the sizes of the differences."""

    has_kernels = True
    formula = "mean_absolute_error"

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)

    def of_batch(self, y_true: Array, y_pred: Array) -> Array:
        return ops.mean_absolute_error(y_pred, y_true)[0]


class RootMeanSquaredError(Metric):
    """The root of the mean of the squared differences."""

    has_kernels = False

    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        squares: np.ndarray = np.square(y_pred - y_true)
        return squares

    def result(self) -> float:
        return float(np.sqrt(super().result()))


class MeanAbsolutePercentageError(ByFormula):
    """100 * the mean of |y - t| / |t|."""

    formula = "mean_absolute_percentage_error"

    def __init__(
        self,
        name: str = "mean_absolute_percentage_error",
    ) -> None:
        super().__init__(name)


class MeanSquaredLogarithmicError(ByFormula):
    """The mean of (log(1 + y) - log(1 + t))^2."""

    formula = "mean_squared_logarithmic_error"

    def __init__(
        self,
        name: str = "mean_squared_logarithmic_error",
    ) -> None:
        super().__init__(name)


class LogCoshError(ByFormula):
    """The mean of log(cosh(y - t))."""

    formula = "log_cosh"

    def __init__(
        self,
        name: str = "logcosh",
    ) -> None:
        super().__init__(name)


class Poisson(ByFormula):
    """The mean of y - t * log(y)."""

    formula = "poisson"

    def __init__(
        self,
        name: str = "poisson",
    ) -> None:
        super().__init__(name)


class KLDivergence(ByFormula):
    """The sum of t * log(t / y)."""

    formula = "kl_divergence"

    def __init__(
        self,
        name: str = "kl_divergence",
    ) -> None:
        super().__init__(name)


class Hinge(ByFormula):
    """The mean of max(1 - t * y, 0)."""

    formula = "hinge"

    def __init__(
        self,
        name: str = "hinge",
    ) -> None:
        super().__init__(name)


class SquaredHinge(ByFormula):
    """The mean of max(1 - t * y, 0)^2."""

    formula = "squared_hinge"

    def __init__(
        self,
        name: str = "squared_hinge",
    ) -> None:
        super().__init__(name)


class CategoricalHinge(ByFormula):
    """max(the largest other output - that of the right class + 1, 0)."""

    formula = "categorical_hinge"

    def __init__(
        self,
        name: str = "categorical_hinge",
    ) -> None:
        super().__init__(name)


class BinaryCrossentropy(ByFormula):
    """Binary cross-entropy."""

    _settings: ClassVar[Settings] = {
        "from_logits": flag,
        "label_smoothing": number(0, 1),
    }
    _config = "from_logits", "label_smoothing"
    formula = "binary_crossentropy"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(ByFormula):
    """Categorical cross-entropy."""

    _settings: ClassVar[Settings] = {
        "from_logits": flag,
        "label_smoothing": number(0, 1),
    }
    _config = "from_logits", "label_smoothing"
    formula = "categorical_crossentropy"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class SparseCategoricalCrossentropy(ByFormula):
    """Cross-entropy of labels."""

    _settings: ClassVar[Settings] = {
        "from_logits": flag,
    }
    _config = ("from_logits",)
    formula = "sparse_categorical_crossentropy"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        from_logits: bool = False,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits


class CosineSimilarity(ByFormula):
    """The cosine of the angle between targets and outputs."""

    direction = "max"
    formula = "cosine_similarity"
    _settings: ClassVar[Settings] = {"axis": integer(-8)}
    _config = ("axis",)

    def __init__(self, name: str = "cosine_similarity", axis: int = -1) -> None:
        super().__init__(name)
        self.axis = axis

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return -super().values(y_true, y_pred)
