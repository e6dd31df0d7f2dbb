"""The .keras file: a zip, not compressed, of metadata.json, config.json and model.weights.h5."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from numba_cnn import files
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.registry import Configuration
from numba_cnn.saving import weights_file

SUFFIX = ".keras"
_KERAS_VERSION = "3.15.1"  # whose format this is
_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_CONFIG_BYTES = 4 * 2**20  # a layer takes about 1 KiB
_CONFIG_DEPTH = 128  # of values in values: a model inside of another takes 3, the time to build them grows by the cube
_CONFIG_VALUES = 2**17  # a layer has about 40, each of which may take 100 bytes of memory


def save_model(
    filepath: str | os.PathLike[str],
    description: Configuration,
    name: str,
    layers: Sequence[Layer],
    optimizer: Optimizer | None,
    overwrite: bool = True,
) -> None:
    """Write a model's description, weights and optimizer state, whole or not at all."""
    path = Path(filepath)
    if path.suffix != SUFFIX:
        raise ValueError(f"save: the file's name must end in {SUFFIX}. Received: {path}")
    metadata = {
        "keras_version": _KERAS_VERSION,
        "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S"),
    }
    weights = io.BytesIO()
    weights_file.write(weights, name, layers, optimizer)
    with files.replacing(path, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, json.dumps(description))
        archive.writestr(_WEIGHTS, weights.getbuffer())


class ModelFile(NamedTuple):
    """What a .keras file holds: the model's description, and its weights as an HDF5 file."""

    path: Path
    description: Any
    weights: bytes

    def load(self, layers: Sequence[Layer], optimizer: Optimizer | None) -> None:
        """Take over the weights, and the state of a built optimizer if it fits."""
        size = len(self.weights)
        weights_file.read(io.BytesIO(self.weights), size, str(self.path), layers, optimizer)


def open_model(filepath: str | os.PathLike[str]) -> ModelFile:
    """The .keras file at that path; ValueError if it is none, or broken."""
    path = Path(filepath)
    with (
        files.reading("not a complete .keras file", path),
        files.open_regular(path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        members = files.Members(archive, files.size(file))
        description = json.loads(_plain(members.read(_CONFIG, _CONFIG_BYTES)))
        _check_depth(description)
        return ModelFile(path, description, members.read(_WEIGHTS))


def _plain(text: bytes) -> bytes:
    """The JSON text, known to hold no more values than a model's description has."""
    values = sum(map(text.count, (b",", b"[", b"{")))
    if values > _CONFIG_VALUES:
        raise ValueError(f"{_CONFIG} holds {values} values, of {_CONFIG_VALUES} at most")
    return text


def _check_depth(description: Any) -> None:
    """Refuse values within values that no model's description has."""
    level = [description]
    for _ in range(_CONFIG_DEPTH):
        dicts = [value for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        level = [inner for value in dicts for inner in value.values()]
        level += [inner for value in lists for inner in value]
        if not level:
            return
    raise ValueError(f"{_CONFIG} holds values within values, more than {_CONFIG_DEPTH} levels deep")
