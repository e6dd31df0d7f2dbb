"""Metrics: what is reported of an epoch; by themselves update_state(), result() and reset_state()."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.losses.functions import FUNCTIONS
from numba_cnn.metrics.accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    FittingAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from numba_cnn.metrics.auc import AUC
from numba_cnn.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from numba_cnn.metrics.errors import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from numba_cnn.metrics.iou import (
    BinaryIoU,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
)
from numba_cnn.metrics.metric import Averaged, Mean, Metric, Sum
from numba_cnn.metrics.own import FunctionMetric
from numba_cnn.metrics.rates import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from numba_cnn.metrics.scores import F1Score, FBetaScore, R2Score
from numba_cnn.session import snake_case

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "get",
]

_CLASSES = [globals()[name] for name in __all__ if name not in ("Metric", "get")]
_NAMES: dict[str, type[Any]] = {
    "accuracy": FittingAccuracy,
    "acc": FittingAccuracy,
    **{snake_case(cls.__name__): cls for cls in _CLASSES if cls is not Accuracy},
    "logcosh": LogCoshError,
    "log_cosh": LogCoshError,
    "fbeta_score": FBetaScore,
    "auc": AUC,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
    "BCE": BinaryCrossentropy,
    "MAE": MeanAbsoluteError,
    "MAPE": MeanAbsolutePercentageError,
    "MSE": MeanSquaredError,
    "MSLE": MeanSquaredLogarithmicError,
    "Accuracy": Accuracy,
}


@nearest.keywords
def get(identifier: Any) -> Metric:
    """A metric by name ("accuracy", its name then), class, function of losses, object or Keras configuration.

    A plain function of (y_true, y_pred), NumPy's arrays, is one: it returns a number for each sample, or for the batch.
    """
    for name, function in FUNCTIONS.items():
        if identifier is function:
            identifier = name
    identifier = registry.function_of(identifier)
    if isinstance(identifier, FunctionType):
        return FunctionMetric(identifier)
    metric: Metric = registry.get("metric", identifier, _NAMES, Averaged)
    if isinstance(identifier, str) and identifier in _NAMES and identifier != "Accuracy":
        metric.name = identifier
    return metric


__getattr__ = nearest.attributes(__name__, __all__)
