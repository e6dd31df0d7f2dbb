"""The area under a curve of rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn.metrics.confusion import Counts, counted, share, threshold_setting
from numba_cnn.settings import Check, Settings, choice, flag, integer

_EPSILON = 1e-7


def _word(*words: str) -> Check:
    """One of the words; in small letters, in capitals or with a capital it is the same, as in Keras."""
    checked = choice(*words)

    def check(owner: str, name: str, value: Any) -> Any:
        of_letters = {word.lower(): word for word in words}
        cases = (str.lower, str.upper) if words[0].isupper() else (str.lower, str.capitalize)
        known = isinstance(value, str) and value in {case(w) for case in cases for w in words}
        return checked(owner, name, of_letters[value.lower()] if known else value)

    return check


class AUC(Counts):
    """The area under the ROC curve, true over false positives, or PR, precision over recall, from counts at thresholds.

    summation_method    "interpolation" (trapezoids; Davis & Goadrich for PR), "minoring" or "majoring"
    multi_label         each output has a curve of its own, and the area is the mean of theirs
    from_logits         outputs go through a sigmoid before
    """

    _settings: ClassVar[Settings] = {
        "num_thresholds": integer(2),
        "curve": _word("ROC", "PR"),
        "summation_method": _word("interpolation", "minoring", "majoring"),
        "thresholds": threshold_setting,
        "multi_label": flag,
        "from_logits": flag,
    }

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        from_logits: bool = False,
    ) -> None:
        super().__init__("auc" if name is None else name)
        self.num_thresholds, self.curve = num_thresholds, curve
        self.summation_method, self.thresholds = summation_method, thresholds
        if thresholds is not None:
            self.thresholds = sorted(self.limits()[1:-1].tolist())
            self.num_thresholds = len(self.thresholds) + 2
        self.multi_label, self.from_logits = multi_label, from_logits

    def limits(self) -> np.ndarray:
        if self.thresholds is None:
            inner = np.arange(1, self.num_thresholds - 1) / (self.num_thresholds - 1)
        else:
            inner = np.sort(np.atleast_1d(np.asarray(self.thresholds, np.float64)))
        return np.concatenate([[-_EPSILON], inner, [1 + _EPSILON]])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y, weights = self._given(y_true, y_pred, sample_weight)
        if self.from_logits:
            y = 1 / (1 + np.exp(-y))
        if not self.multi_label:
            self._counts = self._counts + counted(t, y, weights, self.limits())
            return
        columns = range(y.shape[-1])
        parts = [counted(t[..., c], y[..., c], weights[..., c], self.limits()) for c in columns]
        self._counts = self._counts + np.stack(parts, -1)

    def result(self) -> float:
        if self.curve == "PR" and self.summation_method == "interpolation":
            return float(np.mean(self._area_under_precision()))
        recall = share(self.tp, self.fn)
        if self.curve == "ROC":
            x, y = share(self.fp, self.tn), recall
        else:
            x, y = recall, share(self.tp, self.fp)
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2,
            "minoring": np.minimum(y[:-1], y[1:]),
            "majoring": np.maximum(y[:-1], y[1:]),
        }[self.summation_method]
        return float(np.mean(((x[:-1] - x[1:]) * heights).sum(0)))

    def _area_under_precision(self) -> Any:
        """By the line between two counts of true positives; Davis & Goadrich, ICML 2006."""
        tp, p = self.tp, self.tp + self.fp
        dp = p[:-1] - p[1:]
        slope = _quotient(tp[:-1] - tp[1:], np.maximum(dp, 0))
        intercept = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        ratio = np.where(both, _quotient(p[:-1], np.maximum(p[1:], 0)), 1)
        area = slope * (tp[:-1] - tp[1:] + intercept * np.log(ratio))
        return _quotient(area, np.maximum(tp[1:] + self.fn[1:], 0)).sum(0)

    def get_config(self) -> dict[str, Any]:
        names = (
            "num_thresholds", "curve", "summation_method", "thresholds", "multi_label", "from_logits",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, 0 where b is."""
    made: np.ndarray = np.divide(a, b, out=np.zeros_like(a), where=b != 0)
    return made
