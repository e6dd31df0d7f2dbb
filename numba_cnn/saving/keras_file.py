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

from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.registry import Configuration
from numba_cnn.saving import weights_file
from numba_cnn.saving.atomic import replacing

SUFFIX = ".keras"
_KERAS_VERSION = "3.15.1"  # whose format this is
_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_CONFIG_LIMIT = 16 * 2**20  # bytes; a layer takes about 1 KiB
_EXPANSION_LIMIT = 100  # bytes unpacked per byte packed; weights hardly compress


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
    with replacing(path, overwrite) as temporary, zipfile.ZipFile(temporary, "w") as archive:
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
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(_member(archive, _CONFIG, _CONFIG_LIMIT))
            return ModelFile(path, description, _member(archive, _WEIGHTS))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ValueError(f"not a complete .keras file: {error}. Received: {path}") from error


def _member(archive: zipfile.ZipFile, name: str, limit: int | None = None) -> bytes:
    """One file of the archive, once its size is known to be reasonable."""
    if name not in archive.namelist():
        raise ValueError(f"{name} is missing")
    info = archive.getinfo(name)
    if info.file_size > (limit or _EXPANSION_LIMIT * info.compress_size):
        raise ValueError(f"{name} unpacks from {info.compress_size} to {info.file_size} bytes")
    return archive.read(name)
