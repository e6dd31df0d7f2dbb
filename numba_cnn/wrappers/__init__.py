"""Models as estimators of scikit-learn, which the extra "sklearn" installs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numba_cnn import nearest

if TYPE_CHECKING:
    from numba_cnn.wrappers.estimators import (
        SKLearnClassifier,
        SKLearnRegressor,
        SKLearnTransformer,
    )

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise nearest.missing(__name__, name, __all__)
    return found("estimators", name)


def found(file: str, name: str) -> Any:
    """A class of a file of this folder; ImportError that names the extra where there is no scikit-learn."""
    try:
        return getattr(import_module(f"{__name__}.{file}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'{name} takes the extra "sklearn": pip install "numba-cnn[sklearn]". Received: {error}'
        ) from error


def __dir__() -> list[str]:
    return __all__
