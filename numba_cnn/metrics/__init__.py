"""Metrics: what is reported of an epoch; by themselves update_state(), result() and reset_state()."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
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
from numba_cnn.metrics.functions import (
    ACCURACIES,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
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
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

_CLASSES = [globals()[n] for n in __all__ if n[0].isupper() and n != "Metric"]
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
    if isinstance(identifier, FunctionType):
        identifier = ACCURACIES.get(identifier, identifier)
    identifier = registry.function_of(identifier)
    if isinstance(identifier, FunctionType):
        return FunctionMetric(identifier)
    metric: Metric = registry.get("metric", identifier, _NAMES, Averaged)
    if isinstance(identifier, str) and identifier in _NAMES and identifier != "Accuracy":
        metric.name = identifier
    return metric


serialize, deserialize = registry.both_ways("metrics", get)

__getattr__ = nearest.attributes(__name__, __all__)
