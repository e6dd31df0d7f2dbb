"""Models from files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from numba_cnn import files, saving
from numba_cnn.models.files import Saved
from numba_cnn.models.functional import Model
from numba_cnn.models.learner import chosen_backend
from numba_cnn.models.sequential import Sequential
from numba_cnn.nearest import keywords
from numba_cnn.settings import flag, path

_HDF5 = b"\x89HDF\r\n\x1a\n"
_BYTES = 4  # of a float32
_CLASSES: dict[str, type[Sequential] | type[Model]] = {
    "Sequential": Sequential,
    "Functional": Model,
    "Model": Model,
}


@keywords
def load_model(
    filepath: str | os.PathLike[str], compile: bool = True, *, backend: str = "auto"
) -> Saved:
    """The model in a .keras file of this library or of Keras, ready to go on training.

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
    _refuse_legacy(filepath)
    file = saving.open_model(filepath)
    with files.reading("load_model", file.path):
        model = _build(file)
        claimed = sum(parameter.size for parameter in model.weights) * _BYTES
        if claimed > len(file.weights):
            raise ValueError(
                f"load_model: the description asks for {claimed} bytes of weights. "
                f"Received: {len(file.weights)} in {file.path}"
            )
        model._backend = home
        model._place([*model.weights, *model.states])
        settings = file.description.get("compile_config")
        if compile and isinstance(settings, Mapping):
            _compile(model, settings, backend)
        file.load(model.layers, model.optimizer)
    return model


def _refuse_legacy(filepath: str) -> None:
    """Raise a ValueError for an HDF5 file, which Keras 2 kept whole models in."""
    try:
        with files.open_regular(filepath) as file:
            legacy = file.read(len(_HDF5)) == _HDF5
    except IsADirectoryError:
        legacy = False
    if legacy:
        raise ValueError(
            "load_model: models in legacy .h5 files are not read yet; open the file in Keras and save "
            'the model as .keras: keras.saving.load_model(path).save("model.keras"). '
            f"Received: {filepath}"
        )


def _build(file: saving.ModelFile) -> Saved:
    """The model of the file's description, whose weights are not made yet."""
    try:
        kind, config = file.description["class_name"], file.description["config"]
        cls = _CLASSES.get(kind) if isinstance(kind, str) else None
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
            settings.get("metrics"),
            settings.get("weighted_metrics"),
            backend=backend,
        )
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        warnings.warn(f"load_model: the model is not compiled: {error}", stacklevel=3)
        return
    assert model.optimizer is not None
    model.optimizer.build(model.trainable_weights, model.backend, model)
