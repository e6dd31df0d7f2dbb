"""Models from files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from numba_cnn import custom, files, formats, nearest
from numba_cnn.formats import description
from numba_cnn.models.files import Saved, kind_of
from numba_cnn.models.learner import chosen_backend
from numba_cnn.nearest import keywords
from numba_cnn.settings import flag, path

_BYTES = 4  # of a float32


@keywords
def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    backend: str = "auto",
) -> Saved:
    """The model in a .keras or .h5 file of this library or of Keras, ready to go on training.

    custom_objects    classes of the user's own, by the names that the file has for them; those that
                      saving.register_keras_serializable knows need not be given
    safe_mode         is taken as Keras has it; files run no code either way
    backend           where the model lives from now on, compiled or not: "cpu", "cuda", or "auto" for a
                      real GPU if there is one

    Nothing in the file is executed: layers and settings that neither this library nor the script has are a
    ValueError, as is whatever is broken. A loss or an optimizer that it does not have leaves the
    model uncompiled, with a warning. Raises ValueError for an unknown backend too, RuntimeError
    for one that cannot run here.
    """
    filepath = path("load_model", "filepath", filepath)
    compile = flag("load_model", "compile", compile)
    flag("load_model", "safe_mode", safe_mode)
    scope = custom.CustomObjectScope(custom.checked("load_model", custom_objects))
    home = chosen_backend("load_model", backend)
    file = formats.open_model(filepath)
    with files.reading("load_model", file.path), scope:
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
            compile_as_described("load_model", model, settings, backend)
            if model.optimizer is not None:
                model.optimizer.build(model.trainable_weights, model.backend, model)
        file.load(model, model.optimizer)
    return model


@keywords
def save_model(
    model: Saved,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    *,
    include_optimizer: bool = True,
) -> None:
    """Write a model, as its save() does."""
    _model("save_model", model).save(filepath, overwrite, include_optimizer=include_optimizer)


@keywords
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Saved:
    """The model, with new weights, that to_json() has described; nothing in the text is executed.

    custom_objects    classes of the user's own, by the names that the text has for them

    Raises ValueError for a text that describes none.
    """
    if not isinstance(json_string, str):
        raise TypeError(
            f"model_from_json: json_string must be a text. Received: {nearest.shown(json_string)}"
        )
    scope = custom.CustomObjectScope(custom.checked("model_from_json", custom_objects))
    with files.reading("model_from_json", "the text"), scope:
        described = description.read(json_string.encode(), "the text")
        cls = kind_of(described) if isinstance(described, Mapping) else None
        if cls is None or not isinstance(described.get("config"), Mapping):
            raise ValueError("it describes no Sequential and no Functional model")
        return cls.from_config(described["config"])


def _model(op: str, model: Any) -> Saved:
    if not isinstance(model, Saved):
        raise TypeError(f"{op}: model must be a model. Received: {nearest.shown(model)}")
    return model


def _build(file: formats.ModelFile | formats.LegacyModelFile) -> Saved:
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
    if (
        not model.built and model.is_composed
    ):  # of a class of the user's own, whose weights are made by its shape
        build_config = file.description.get("build_config")
        shape = build_config.get("input_shape") if isinstance(build_config, Mapping) else None
        if shape:
            model._ensure(_with_any_batch(shape))
    if not (model.layers and model.built):
        raise ValueError(f"load_model: the model knows no input shape. Received: {file.path}")
    return model


def _with_any_batch(shape: Any) -> Any:
    """A shape, or a list or a dict of them, for batches of any size: Keras's files have that of the first."""
    if isinstance(shape, Mapping):
        return {key: _with_any_batch(one) for key, one in shape.items()}
    if isinstance(shape[0], list | tuple):
        return [_with_any_batch(one) for one in shape]
    return (None, *shape[1:])


def compile_as_described(op: str, model: Saved, settings: Any, backend: str) -> None:
    """Compile by a configuration; a warning says where it asks for what is not here."""
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
        warnings.warn(f"{op}: the model is not compiled: {error}", stacklevel=3)
