"""Models from files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from numba_cnn import files, nearest, saving
from numba_cnn.models.files import Saved, kind_of
from numba_cnn.models.learner import chosen_backend
from numba_cnn.nearest import keywords
from numba_cnn.saving import description
from numba_cnn.settings import flag, path

_BYTES = 4  # of a float32


@keywords
def load_model(
    filepath: str | os.PathLike[str], compile: bool = True, *, backend: str = "auto"
) -> Saved:
    """The model in a .keras or .h5 file of this library or of Keras, ready to go on training.

    backend    where the model lives from now on, compiled or not: "cpu", "cuda", or "auto" for a
               real GPU if there is one

    Nothing in the file is executed: layers and settings that this library does not have are a
    ValueError, as is whatever is broken. A loss or an optimizer that it does not have leaves the
    model uncompiled, with a warning. Raises ValueError for an unknown backend too, RuntimeError
    for one that cannot run here.
    """
    filepath = path("load_model", "filepath", filepath)
    compile = flag("load_model", "compile", compile)
    home = chosen_backend("load_model", backend)
    file = saving.open_model(filepath)
    with files.reading("load_model", file.path):
        model = _build(file)
        claimed = sum(parameter.size for parameter in model.weights) * _BYTES
        if claimed > file.weights_bytes:
            raise ValueError(
                f"load_model: the description asks for {claimed} bytes of weights. "
                f"Received: {file.weights_bytes} in {file.path}"
            )
        model._backend = home
        model._place()
        model.class_names = file.description.get("class_names")
        settings = file.description.get("compile_config")
        if compile and isinstance(settings, Mapping):
            _compile(model, settings, backend)
        file.load(model.layers, model.optimizer)
    return model


@keywords
def save_model(model: Saved, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a model, as its save() does."""
    _model("save_model", model).save(filepath, overwrite)


@keywords
def clone_model(model: Saved) -> Saved:
    """A model of the same layers and names, with new weights, not compiled."""
    model = _model("clone_model", model)
    return type(model).from_config(model.get_config())


@keywords
def model_from_json(json_string: str) -> Saved:
    """The model, with new weights, that to_json() has described; nothing in the text is executed.

    Raises ValueError for a text that describes none.
    """
    if not isinstance(json_string, str):
        raise TypeError(
            f"model_from_json: json_string must be a text. Received: {nearest.shown(json_string)}"
        )
    with files.reading("model_from_json", "the text"):
        described = description.read(json_string.encode(), "the text")
        cls = kind_of(described) if isinstance(described, Mapping) else None
        if cls is None or not isinstance(described.get("config"), Mapping):
            raise ValueError("it describes no Sequential and no Functional model")
        return cls.from_config(described["config"])


def _model(op: str, model: Any) -> Saved:
    if not isinstance(model, Saved):
        raise TypeError(f"{op}: model must be a model. Received: {nearest.shown(model)}")
    return model


def _build(file: saving.ModelFile | saving.LegacyModelFile) -> Saved:
    """The model of the file's description, whose weights are not made yet."""
    try:
        kind, config = file.description["class_name"], file.description["config"]
        cls = kind_of(file.description)
        model = None if cls is None else cls.from_config(config)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"load_model: no model is described. Received: {error!r} in {file.path}"
        ) from error
    if model is None:
        raise ValueError(
            f"load_model: expected a Sequential or a Functional model. Received: {kind!r} in {file.path}"
        )
    if not (model.layers and model.built):
        raise ValueError(f"load_model: the model knows no input shape. Received: {file.path}")
    return model


def _compile(model: Saved, settings: Mapping[str, Any], backend: str) -> None:
    """Compile as the file says; an optimizer that will get its state is built."""
    try:
        model.compile(
            settings.get("optimizer"),
            settings.get("loss"),
            settings.get("loss_weights"),
            settings.get("metrics"),
            settings.get("weighted_metrics"),
            backend=backend,
        )
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        warnings.warn(f"load_model: the model is not compiled: {error}", stacklevel=3)
        return
    assert model.optimizer is not None
    model.optimizer.build(model.trainable_weights, model.backend, model)
