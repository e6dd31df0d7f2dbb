"""Metrics of yes and no: counts of outputs above thresholds, right and wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest
from numba_cnn.losses.by_formula import broadcast
from numba_cnn.metrics.metric import Metric, numbers
from numba_cnn.settings import Settings, integer, optional, real


def threshold_setting(owner: str, name: str, value: Any) -> Any:
    """None, a number from 0 to 1, or a list of them."""
    if value is None:
        return None
    given = value if isinstance(value, list | tuple) else [value]
    found = [real(one) for one in given]
    if not found or any(one is None or not 0 <= one <= 1 for one in found):
        raise ValueError(
            f"{owner}: {name} must be a number from 0 to 1, or a list of them. Received: {nearest.shown(value)}"
        )
    return list(value) if isinstance(value, list | tuple) else value


class Counts(Metric):
    """tp, fp, tn and fn at each threshold, by weight."""

    has_kernels = False
    direction: ClassVar[str] = "max"
    top_k: int | None = None
    class_id: int | None = None

    def limits(self) -> np.ndarray:
        """The thresholds."""
        raise NotImplementedError

    def reset_state(self) -> None:
        super().reset_state()
        self._counts: Any = 0.0  # (tp, fp, tn, fn) by threshold

    @property
    def tp(self) -> np.ndarray:
        return self._of(0)

    @property
    def fp(self) -> np.ndarray:
        return self._of(1)

    @property
    def tn(self) -> np.ndarray:
        return self._of(2)

    @property
    def fn(self) -> np.ndarray:
        return self._of(3)

    def _of(self, place: int) -> np.ndarray:
        if isinstance(self._counts, float):
            return np.zeros(len(self.limits()))
        counts: np.ndarray = self._counts[place]
        return counts

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y, weights = self._given(y_true, y_pred, sample_weight)
        self._counts = self._counts + counted(t, y, weights, self.limits())

    def _given(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Targets as truths, outputs, and a weight for each of them."""
        t, y = self._arrays(y_true, y_pred)
        weights = np.ones(y.shape)
        if sample_weight is not None:
            weights = broadcast(self.name, numbers(self, "sample_weight", sample_weight), weights)
        if self.top_k is not None:
            most = np.partition(y, -min(self.top_k, y.shape[-1]), -1)
            y = np.where(y >= most[..., [-min(self.top_k, y.shape[-1])]], y, -np.inf)
        if self.class_id is not None:
            if self.class_id >= y.shape[-1]:
                raise ValueError(
                    f"{self.name}: class_id must be below {y.shape[-1]}, the number of outputs. "
                    f"Received: {self.class_id}"
                )
            t, y, weights = (a[..., self.class_id] for a in (t, y, weights))
        return t, y, weights


def counted(t: np.ndarray, y: np.ndarray, weights: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """(tp, fp, tn, fn) of all outputs at each threshold; targets are yes where they are no 0."""
    t, y, weights = t.reshape(-1) != 0, y.reshape(-1), weights.reshape(-1)
    order = np.argsort(y, kind="stable")
    y, t, weights = y[order], t[order], weights[order]
    below = np.searchsorted(y, limits.astype(y.dtype), "right")  # how many do not lie above
    yes, no = (np.concatenate([[0], np.cumsum(weights * kind)]) for kind in (t, ~t))
    return np.stack([yes[-1] - yes[below], no[-1] - no[below], no[below], yes[below]])


def share(part: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """part / (part + rest), 0 where both are."""
    whole = part + rest
    made: np.ndarray = np.divide(part, whole, out=np.zeros_like(whole), where=whole != 0)
    return made


class _AtThresholds(Counts):
    _settings: ClassVar[Settings] = {"thresholds": threshold_setting}

    def __init__(self, thresholds: Any = None, name: str | None = None) -> None:
        super().__init__(self.default_name if name is None else name)
        self.thresholds = thresholds

    default_name: ClassVar[str]

    def limits(self) -> np.ndarray:
        if self.thresholds is None:
            return np.array([0.5 if self.top_k is None else -np.inf])
        return np.atleast_1d(np.asarray(self.thresholds, np.float64))

    def rates(self) -> np.ndarray:
        """The result at each threshold."""
        raise NotImplementedError

    def result(self) -> Any:
        rates = self.rates()
        return float(rates[0]) if len(rates) == 1 else rates

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.thresholds}


class TruePositives(_AtThresholds):
    """How many are above the threshold, and right."""

    default_name = "true_positives"

    def rates(self) -> np.ndarray:
        return self.tp


class FalsePositives(_AtThresholds):
    """How many are above the threshold, and wrong."""

    default_name = "false_positives"
    direction = "min"

    def rates(self) -> np.ndarray:
        return self.fp


class TrueNegatives(_AtThresholds):
    """How many are not above the threshold, and right."""

    default_name = "true_negatives"

    def rates(self) -> np.ndarray:
        return self.tn


class FalseNegatives(_AtThresholds):
    """How many are not above the threshold, and wrong."""

    default_name = "false_negatives"
    direction = "min"

    def rates(self) -> np.ndarray:
        return self.fn


class Precision(_AtThresholds):
    """The share of those above the threshold that are right: of the top_k outputs of a sample, of one class, of all.

    >>> precision = nc.metrics.Precision()
    >>> precision.update_state([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.7])
    >>> precision.result()
    0.5
    """

    default_name = "precision"
    _settings: ClassVar[Settings] = {
        "top_k": optional(integer(1)),
        "class_id": optional(integer(0)),
    }

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(thresholds, name)
        self.top_k, self.class_id = top_k, class_id

    def rates(self) -> np.ndarray:
        return share(self.tp, self.fp)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class Recall(Precision):
    """The share of those that should be above the threshold that are."""

    default_name = "recall"

    def rates(self) -> np.ndarray:
        return share(self.tp, self.fn)
