"""Models and weights to and from files, and what files may call objects of the user's own, by Keras's names."""

from __future__ import annotations

from typing import Any

from numba_cnn import nearest
from numba_cnn.custom import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from numba_cnn.models import load_model, save_model
from numba_cnn.models.serializing import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]


@nearest.keywords
def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write a model's weights, as its save_weights() does."""
    _model("save_weights", model).save_weights(filepath, overwrite)


@nearest.keywords
def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Take over weights from a file, as the model's load_weights() does."""
    _model("load_weights", model).load_weights(filepath, skip_mismatch)


def _model(op: str, model: Any) -> Any:
    if not hasattr(model, op):
        raise TypeError(f"{op}: model must be a model. Received: {nearest.shown(model)}")
    return model


__getattr__ = nearest.attributes(__name__, __all__)
