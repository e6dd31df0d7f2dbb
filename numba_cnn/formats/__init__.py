"""Files in Keras's own formats: .keras for whole models, .weights.h5 for weights, .h5 of Keras 1 and 2 for both."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from numba_cnn import files
from numba_cnn.formats import keras_file, legacy_h5, weights_file
from numba_cnn.formats.backup_file import load_backup, save_backup
from numba_cnn.formats.keras_file import ModelFile
from numba_cnn.formats.legacy_h5 import LegacyModelFile
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.registry import Configuration

__all__ = [
    "LegacyModelFile",
    "ModelFile",
    "load_backup",
    "load_weights",
    "open_model",
    "save_backup",
    "save_model",
    "save_weights",
]

FilePath = str | os.PathLike[str]


def save_model(
    filepath: FilePath,
    described: Configuration,
    model: Layer,
    optimizer: Optimizer | None,
    overwrite: bool = True,
) -> None:
    """Write a model's description, weights and optimizer state, whole or not at all; the path's ending says how.

    Where Keras 2 made a folder, of a path that ends otherwise, a .keras file appears beside it, with a warning. As it
    did, all but .keras makes the folders above.
    """
    path = Path(filepath)
    if path.suffix != keras_file.SUFFIX:
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in legacy_h5.SUFFIXES:
        legacy_h5.save_model(path, described, model, optimizer, overwrite)
        return
    path = _ending("save", path, keras_file.SUFFIX)
    keras_file.save_model(path, described, model, optimizer, overwrite)


def open_model(filepath: FilePath) -> ModelFile | LegacyModelFile:
    """The file of a model at that path, or the .keras file that save_model wrote for it."""
    path = _found("load_model", Path(filepath), keras_file.SUFFIX)
    if path.is_dir():
        raise ValueError(
            f"load_model: expected a file, such as {path / 'model.keras'}. Received: the folder {path}"
        )
    return legacy_h5.open_model(path) if legacy_h5.is_one(path) else keras_file.open_model(path)


def save_weights(
    filepath: FilePath,
    model: Layer,
    optimizer: Optimizer | None,
    overwrite: bool = True,
) -> None:
    """Write a model's weights, and for a .weights.h5 file the state of a built optimizer.

    Where TensorFlow made a checkpoint, of a path that ends otherwise, a .weights.h5 file appears, with a warning. As it
    did, all but .weights.h5 makes the folders above.
    """
    path = Path(filepath)
    is_legacy = not path.name.endswith(weights_file.SUFFIX)
    if is_legacy:
        path.parent.mkdir(parents=True, exist_ok=True)
    if is_legacy and path.suffix in legacy_h5.SUFFIXES:
        legacy_h5.save_weights(path, model, overwrite)
        return
    path = _ending("save_weights", path, weights_file.SUFFIX)
    weights_file.save_weights(path, model, optimizer, overwrite)


def load_weights(
    filepath: FilePath,
    model: Layer,
    optimizer: Optimizer | None,
    *,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> None:
    """Take over weights from a file of weights, and from a .weights.h5 file the state of a built optimizer if it fits.

    by_name          of .h5 files of Keras 1 and 2 alone, which have layers' names
    skip_mismatch    whether layers keep theirs whose weights are of other shapes, with a warning
    """
    path = _found("load_weights", Path(filepath), weights_file.SUFFIX)
    is_tree = path.name.endswith(weights_file.SUFFIX)
    if by_name and (is_tree or path.suffix == keras_file.SUFFIX):
        raise ValueError(f"load_weights: by_name is for .h5 files. Received: {path}")
    if is_tree:
        weights_file.load_weights(path, model, optimizer, skip_mismatch)
    elif path.suffix == keras_file.SUFFIX:
        keras_file.open_model(path).load(model, optimizer, skip_mismatch)
    else:
        legacy_h5.load_weights(path, model, by_name=by_name, skip_mismatch=skip_mismatch)


def _ending(op: str, path: Path, suffix: str) -> Path:
    """The path itself, or with the ending that it should have."""
    if path.name.endswith(suffix):
        return path
    written = path.with_name(path.name + suffix)
    warnings.warn(f"{op}: the file is written as {written}. Received: {path}", stacklevel=5)
    return written


def _found(op: str, path: Path, suffix: str) -> Path:
    """The path itself, or the file that was written in its place."""
    beside = path.with_name(path.name + suffix)
    if not path.is_file() and beside.is_file():
        return beside
    if not path.exists():
        raise files.no_file(op, path)
    return path
