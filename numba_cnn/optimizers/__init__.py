"""Optimizers with Keras's rules, numbers and order of state; one kernel per parameter, in place."""

from __future__ import annotations

from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.optimizers.adam import Adam
from numba_cnn.optimizers.optimizer import Optimizer
from numba_cnn.optimizers.rmsprop import RMSprop
from numba_cnn.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "get"]

_NAMES: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD, "rmsprop": RMSprop}


@nearest.keywords
def get(identifier: Any) -> Optimizer:
    """An optimizer by name ("adam", "sgd", "rmsprop"), class, object or Keras configuration."""
    optimizer: Optimizer = registry.get("optimizer", identifier, _NAMES)
    return optimizer


__getattr__ = nearest.attributes(__name__, __all__)
