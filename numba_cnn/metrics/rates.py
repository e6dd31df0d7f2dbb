"""One rate of yes and no where another is large enough."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn.metrics.confusion import Counts, share
from numba_cnn.settings import Settings, integer, number, optional


class _AtRate(Counts):
    """The largest of one rate at thresholds where another is large enough."""

    _wanted: ClassVar[str]  # the argument
    _settings: ClassVar[Settings] = {
        **dict.fromkeys(("specificity", "sensitivity", "recall", "precision"), number(0, 1)),
        "num_thresholds": integer(1),
        "class_id": optional(integer(0)),
    }

    def _set(self, value: float, num_thresholds: int, class_id: int | None) -> None:
        setattr(self, self._wanted, value)
        self.num_thresholds, self.class_id = num_thresholds, class_id

    def limits(self) -> np.ndarray:
        count = self.num_thresholds
        return np.array([0.5]) if count == 1 else np.arange(count) / (count - 1)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        """(the rate that must be large enough, the one that is the result)."""
        raise NotImplementedError

    def result(self) -> float:
        bound, wanted = self.rates()
        enough = bound >= getattr(self, self._wanted)
        return float(np.where(enough, wanted, 0).max(initial=0))

    def get_config(self) -> dict[str, Any]:
        names = "class_id", "num_thresholds", self._wanted
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class SensitivityAtSpecificity(_AtRate):
    """The largest sensitivity where the specificity is at least the one given."""

    _wanted = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__("sensitivity_at_specificity" if name is None else name)
        self._set(specificity, num_thresholds, class_id)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        return share(self.tn, self.fp), share(self.tp, self.fn)


class SpecificityAtSensitivity(_AtRate):
    """The largest specificity where the sensitivity is at least the one given."""

    _wanted = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__("specificity_at_sensitivity" if name is None else name)
        self._set(sensitivity, num_thresholds, class_id)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        return share(self.tp, self.fn), share(self.tn, self.fp)


class PrecisionAtRecall(_AtRate):
    """The largest precision where the recall is at least the one given."""

    _wanted = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__("precision_at_recall" if name is None else name)
        self._set(recall, num_thresholds, class_id)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        return share(self.tp, self.fn), share(self.tp, self.fp)


class RecallAtPrecision(_AtRate):
    """The largest recall where the precision is at least the one given."""

    _wanted = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__("recall_at_precision" if name is None else name)
        self._set(precision, num_thresholds, class_id)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        return share(self.tp, self.fp), share(self.tp, self.fn)
