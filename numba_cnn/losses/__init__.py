"""Losses: what training makes small."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.losses.by_formula import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)
from numba_cnn.losses.crossentropies import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from numba_cnn.losses.errors import MeanAbsoluteError, MeanSquaredError
from numba_cnn.losses.functions import FUNCTIONS
from numba_cnn.losses.loss import Loss
from numba_cnn.losses.overlap import Dice, Tversky
from numba_cnn.losses.own import FunctionLoss

binary_crossentropy = FUNCTIONS["binary_crossentropy"]
binary_focal_crossentropy = FUNCTIONS["binary_focal_crossentropy"]
categorical_crossentropy = FUNCTIONS["categorical_crossentropy"]
categorical_focal_crossentropy = FUNCTIONS["categorical_focal_crossentropy"]
categorical_generalized_cross_entropy = FUNCTIONS["categorical_generalized_cross_entropy"]
categorical_hinge = FUNCTIONS["categorical_hinge"]
cosine_similarity = FUNCTIONS["cosine_similarity"]
dice = FUNCTIONS["dice"]
hinge = FUNCTIONS["hinge"]
huber = FUNCTIONS["huber"]
kl_divergence = FUNCTIONS["kl_divergence"]
log_cosh = FUNCTIONS["log_cosh"]
mean_absolute_error = FUNCTIONS["mean_absolute_error"]
mean_absolute_percentage_error = FUNCTIONS["mean_absolute_percentage_error"]
mean_squared_error = FUNCTIONS["mean_squared_error"]
mean_squared_logarithmic_error = FUNCTIONS["mean_squared_logarithmic_error"]
poisson = FUNCTIONS["poisson"]
sparse_categorical_crossentropy = FUNCTIONS["sparse_categorical_crossentropy"]
squared_hinge = FUNCTIONS["squared_hinge"]
tversky = FUNCTIONS["tversky"]

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "dice",
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
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

_NAMES: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mape": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "msle": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "kl_divergence": KLDivergence,
    "kld": KLDivergence,
    "poisson": Poisson,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "cosine_similarity": CosineSimilarity,
    "binary_focal_crossentropy": BinaryFocalCrossentropy,
    "categorical_focal_crossentropy": CategoricalFocalCrossentropy,
    "categorical_generalized_cross_entropy": CategoricalGeneralizedCrossEntropy,
    "dice": Dice,
    "tversky": Tversky,
    **{name.upper(): cls for name, cls in (
        ("bce", BinaryCrossentropy), ("mae", MeanAbsoluteError), ("mse", MeanSquaredError), ("kld", KLDivergence),
        ("mape", MeanAbsolutePercentageError), ("msle", MeanSquaredLogarithmicError),
    )},
}  # fmt: skip


@nearest.keywords
def get(identifier: Any) -> Loss:
    """A loss by name, class, function of this module, object or Keras configuration.

    A plain function of (y_true, y_pred), NumPy's arrays, is one if it returns its gradient too: (values, gradient).
    """
    for name, function in FUNCTIONS.items():
        if identifier is function:
            identifier = name
    identifier = registry.function_of(identifier)
    if isinstance(identifier, FunctionType):
        return FunctionLoss(identifier)
    loss: Loss = registry.get("loss", identifier, _NAMES, Loss)
    return loss


serialize, deserialize = registry.both_ways("losses", get)

__getattr__ = nearest.attributes(__name__, __all__)
