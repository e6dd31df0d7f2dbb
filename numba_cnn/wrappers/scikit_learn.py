"""The wrappers that Keras 1 and 2 had, by their path: each is a DeprecationWarning that says today's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba_cnn import nearest, wrappers

if TYPE_CHECKING:
    from numba_cnn.wrappers.build_functions import KerasClassifier, KerasRegressor

__all__ = ["KerasClassifier", "KerasRegressor"]

_TODAY = {"KerasClassifier": "SKLearnClassifier", "KerasRegressor": "SKLearnRegressor"}


def __getattr__(name: str) -> Any:
    if name not in _TODAY:
        raise nearest.missing(__name__, name, __all__)
    found = wrappers.found("build_functions", name)
    nearest.outdated(f"wrappers.scikit_learn.{name}", f"wrappers.{_TODAY[name]}(model=...)")
    return found
