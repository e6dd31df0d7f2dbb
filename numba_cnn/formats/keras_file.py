"""The .keras file: a zip, not compressed, of metadata.json, config.json and model.weights.h5."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numba_cnn import files
from numba_cnn.formats import description, legacy_config, weights_file
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.registry import Configuration

SUFFIX = ".keras"
_KERAS_VERSION = "3.15.1"  # whose format this is
_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"


def save_model(
    filepath: str | os.PathLike[str],
    described: Configuration,
    model: Layer,
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
    weights_file.write(weights, model, optimizer)
    with files.replacing(path, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, json.dumps(described))
        archive.writestr(_WEIGHTS, weights.getbuffer())


class ModelFile(NamedTuple):
    """What a .keras file holds: the model's description, and its weights as an HDF5 file."""

    path: Path
    description: Any
    weights: bytes

    @property
    def weights_bytes(self) -> int:
        """How many bytes weights may have."""
        return len(self.weights)

    def load(self, model: Layer, optimizer: Optimizer | None, skip_mismatch: bool = False) -> None:
        """Take over the weights, and the state of a built optimizer if it fits."""
        file, size = io.BytesIO(self.weights), len(self.weights)
        weights_file.read(file, size, str(self.path), model, optimizer, skip_mismatch)


def open_model(filepath: str | os.PathLike[str]) -> ModelFile:
    """The .keras file at that path; ValueError if it is none, or broken."""
    path = Path(filepath)
    with (
        files.reading("not a complete .keras file", path),
        files.open_regular(path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        members = files.Members(archive, files.size(file))
        described = description.read(members.read(_CONFIG, description.MOST_BYTES), _CONFIG)
        if _is_of_keras_2(members):
            described = legacy_config.described(described)
        return ModelFile(path, described, members.read(_WEIGHTS))


def _is_of_keras_2(members: files.Members) -> bool:
    """Whether the file says that Keras 2 wrote it."""
    if _METADATA not in members:
        return False
    metadata = description.read(members.read(_METADATA, description.MOST_BYTES), _METADATA)
    version = metadata.get("keras_version") if isinstance(metadata, Mapping) else None
    return isinstance(version, str) and version.startswith("2.")
