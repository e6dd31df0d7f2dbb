"""Objects as configurations and back, for the get_config() and from_config() of the user's own classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from numba_cnn import (
    constraints,
    custom,
    initializers,
    losses,
    metrics,
    nearest,
    optimizers,
    registry,
    regularizers,
)
from numba_cnn.layers import Layer
from numba_cnn.models.files import described, layer_from

# What describes objects, and makes them again, by the last word of the module that descriptions name.
_KINDS: dict[str, tuple[type, Any]] = {
    "initializers": (initializers.Initializer, initializers.get),
    "regularizers": (regularizers.Regularizer, regularizers.get),
    "constraints": (constraints.Constraint, constraints.get),
    "losses": (losses.Loss, losses.get),
    "metrics": (metrics.Metric, metrics.get),
    "schedules": (optimizers.schedules.LearningRateSchedule, optimizers.schedules.get),
    "optimizers": (optimizers.Optimizer, optimizers.get),
}


@nearest.keywords
def serialize_keras_object(obj: Any) -> Any:
    """The configuration of a layer, a model or another object; numbers, texts, lists and dicts as they are.

    Raises ValueError for what has none.
    """
    if obj is None or isinstance(obj, str | int | float):
        return obj
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(one) for key, one in obj.items()}
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(one) for one in obj]
    if isinstance(obj, np.ndarray | np.generic):
        return obj.tolist()
    if isinstance(obj, Layer):
        return described(obj)
    for module, (base, _) in _KINDS.items():
        if isinstance(obj, base):
            return registry.describe(
                "optimizers.schedules" if module == "schedules" else module, obj
            )
    raise ValueError(
        "serialize_keras_object: obj must be a layer, a model or another object of this library. "
        f"Received: {nearest.shown(obj)}"
    )


@nearest.keywords
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object of a configuration; nothing in it is executed, whatever safe_mode says.

    Raises ValueError for one that neither this library nor the script knows.
    """
    with custom.CustomObjectScope(custom.checked("deserialize_keras_object", custom_objects)):
        return _made(config)


def _made(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return [_made(one) for one in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _made(one) for key, one in config.items()}
    own = custom.described(config)
    module = str(config.get("module")).rpartition(".")[2]
    for name, (base, get) in _KINDS.items():
        if name == module or (isinstance(own, type) and issubclass(own, base)):
            return get(config)
    return layer_from(config)
