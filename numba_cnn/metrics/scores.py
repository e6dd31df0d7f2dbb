"""F scores and the coefficient of determination."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn.losses.by_formula import broadcast
from numba_cnn.metrics.metric import Metric, numbers
from numba_cnn.settings import Settings, choice, integer, number, optional

_EPSILON = 1e-7


class _OfRows(Metric):
    """What sums columns of rows of targets and outputs."""

    has_kernels = False
    direction: ClassVar[str] = "max"

    def reset_state(self) -> None:
        super().reset_state()
        self._sums: Any = 0.0

    def _rows(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Targets, outputs and weights, (N, C)."""
        t, y = self._arrays(y_true, y_pred)
        if y.ndim != 2:
            raise ValueError(
                f"{self.name}: y_pred must be rows, (N, C). Received: y_pred of shape {y.shape}"
            )
        weights = np.ones(y.shape)
        if sample_weight is not None:
            weights = broadcast(self.name, numbers(self, "sample_weight", sample_weight), weights)
        return t.astype(np.float64), y.astype(np.float64), weights


class FBetaScore(_OfRows):
    """(1 + beta^2) * precision * recall / (beta^2 * precision + recall) of each class, or their mean.

    average      None: one score a class; "micro": of all outputs together; "macro": the mean of the classes';
                 "weighted": by how often they are the target
    threshold    outputs above it are yes; None: the largest of a row is
    """

    _settings: ClassVar[Settings] = {
        "average": optional(choice("micro", "macro", "weighted")),
        "beta": number(above=0),
        "threshold": optional(number(above=0, most=1)),
    }

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
    ) -> None:
        super().__init__(name)
        self.average, self.beta, self.threshold = average, beta, threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y, weights = self._rows(y_true, y_pred, sample_weight)
        if self.threshold is None:
            yes = (y >= y.max(-1, keepdims=True)) & (np.abs(y) > 1e-9)
        else:
            yes = y > np.float32(self.threshold)
        parts = yes * t, yes * (1 - t), (1 - yes) * t, t
        self._sums = self._sums + np.stack([(part * weights).sum(0) for part in parts])

    def result(self) -> Any:
        if isinstance(self._sums, float):
            return 0.0
        sums = self._sums.sum(1) if self.average == "micro" else self._sums
        tp, fp, fn, true = sums
        precision, recall = tp / (tp + fp + _EPSILON), tp / (tp + fn + _EPSILON)
        weight = self.beta**2
        scores = (1 + weight) * precision * recall / (weight * precision + recall + _EPSILON)
        if self.average is None:
            return scores
        if self.average == "weighted":
            return float((scores * true / (true.sum() + _EPSILON)).sum())
        return float(np.mean(scores))

    def get_config(self) -> dict[str, Any]:
        names = "average", "beta", "threshold"
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall): FBetaScore with beta = 1."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
    ) -> None:
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}


class R2Score(_OfRows):
    """1 - the sum of squared errors / that of squared distances from the targets' mean, for each column.

    class_aggregation    "uniform_average" of the columns, "variance_weighted_average", or None for one score each
    num_regressors       how many variables explain the targets: the score is adjusted for them
    """

    _settings: ClassVar[Settings] = {
        "class_aggregation": optional(choice("uniform_average", "variance_weighted_average")),
        "num_regressors": integer(0),
    }

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
    ) -> None:
        super().__init__(name)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors

    def reset_state(self) -> None:
        super().reset_state()
        self._samples = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y, weights = self._rows(y_true, y_pred, sample_weight)
        parts = weights, weights * t, weights * t * t, weights * (t - y) ** 2
        self._sums = self._sums + np.stack([part.sum(0) for part in parts])
        self._samples += t.size

    def result(self) -> Any:
        if isinstance(self._sums, float):
            return 0.0
        count, total, squares, errors = self._sums
        with np.errstate(all="ignore"):
            spread = squares - total * total / count
            scores = 1 - errors / spread
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                scores = (spread * scores).sum() / spread.sum()
        n, p = self._samples, self.num_regressors
        if p and p < n - 1:
            scores = 1 - (1 - scores) * (n - 1) / (n - p - 1)
        return float(scores) if np.ndim(scores) == 0 else scores

    def get_config(self) -> dict[str, Any]:
        names = "class_aggregation", "num_regressors"
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
