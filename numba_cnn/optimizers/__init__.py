"""Optimizers with Keras's rules, numbers and order of state; one kernel per parameter, in place."""

from __future__ import annotations

from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.optimizers import schedules
from numba_cnn.optimizers.adagrad import Adadelta, Adagrad
from numba_cnn.optimizers.adam import Adam, Adamax, AdamW, Nadam
from numba_cnn.optimizers.ftrl import Ftrl
from numba_cnn.optimizers.lion import Lion
from numba_cnn.optimizers.optimizer import Optimizer
from numba_cnn.optimizers.rmsprop import RMSprop
from numba_cnn.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_NAMES: dict[str, type[Optimizer]] = {
    cls.__name__.lower(): cls
    for cls in (Adam, SGD, RMSprop, Adadelta, Adagrad, Adamax, AdamW, Ftrl, Lion, Nadam)
}


@nearest.keywords
def get(identifier: Any) -> Optimizer:
    """An optimizer by name ("adam", "sgd", "rmsprop"), class, object or Keras configuration."""
    optimizer: Optimizer = registry.get("optimizer", identifier, _NAMES, Optimizer)
    return optimizer


serialize, deserialize = registry.both_ways("optimizers", get)

for _file in ("adagrad", "adam", "ftrl", "lion", "rmsprop", "sgd"):
    globals().pop(_file)  # the classes' older names, which are not to mean the files

__getattr__ = nearest.attributes(__name__, __all__)
