"""Plain functions of (y_true, y_pred) as metrics, on NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.metrics.metric import Metric, on_host


class FunctionMetric(Metric):
    """The mean of what a function gives: a number for each sample, or one for each batch, which count alike."""

    has_kernels = False

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        super().__init__(name or function.__name__.replace("<lambda>", "metric"))
        self.function = function

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        given = self.function(np.asarray(on_host(y_true)), np.asarray(on_host(y_pred)))
        try:
            values: np.ndarray = np.asarray(given)
        except (TypeError, ValueError):
            values = np.empty(0, object)
        if values.dtype.kind not in "fiub":
            raise TypeError(
                f"{self.name}: a metric returns a number for each sample, or one for the batch. "
                f"Received: {nearest.shown(given)}"
            )
        self._count_values(values, sample_weight)
