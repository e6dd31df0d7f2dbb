"""The file that a run is taken up again from: a zip, not compressed, of progress.json, arrays and model.weights.h5.

progress.json has numbers, texts, lists and dicts; for each array {"array": the number of its member, "dtype", "shape"}.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn import files
from numba_cnn.formats import weights_file
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer

_PROGRESS, _WEIGHTS = "progress.json", "model.weights.h5"
_SAID: dict[str, Any] = {
    "epoch": int,
    "batch": int,
    "batches": int,
    "callbacks": dict,
    "means": list,
}
_DTYPES = "bool", "int32", "int64", "float32", "float64"


def save_backup(path: Path, progress: Any, model: Layer, optimizer: Optimizer | None) -> None:
    """Write a model's weights, its optimizer's state and how far its training is, whole or not at all."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_written(progress, arrays))
    weights = io.BytesIO()
    weights_file.write(weights, model, optimizer)
    with files.replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_PROGRESS, text)
        for i, array in enumerate(arrays):
            archive.writestr(f"arrays/{i}", array.tobytes())
        archive.writestr(_WEIGHTS, weights.getbuffer())


def load_backup(path: Path, model: Layer, optimizer: Optimizer | None) -> Any:
    """Take over weights and state; returns the progress. ValueError for a file that is broken."""
    with (
        files.reading("not a complete backup", path),
        files.open_regular(path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        members = files.Members(archive, files.size(file))
        progress = _checked(_read(json.loads(members.read(_PROGRESS)), members))
        weights = members.read(_WEIGHTS)
        weights_file.read(io.BytesIO(weights), len(weights), str(path), model, optimizer)
        return progress


def _checked(progress: Any) -> Any:
    """The progress, known to say where training stands and what others know."""
    for name, kind in _SAID.items():
        said: Any = progress.get(name) if isinstance(progress, dict) else None
        if not isinstance(said, kind) or (kind is int and said < 0):
            raise ValueError(f"{_PROGRESS} must say {name}. Received: {said!r:.80}")
    if not all(isinstance(mean, dict) for mean in progress["means"]):
        raise ValueError(f"{_PROGRESS} must say means. Received: {progress['means']!r:.80}")
    for name, state in progress["callbacks"].items():
        if not isinstance(state, dict):
            raise ValueError(f"{_PROGRESS} must say what {name} knows. Received: {state!r:.80}")
    return progress


def _written(value: Any, arrays: list[np.ndarray]) -> Any:
    """The value in JSON's words; arrays go to the list."""
    if isinstance(value, Mapping):
        return {str(key): _written(one, arrays) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_written(one, arrays) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {
            "array": len(arrays) - 1,
            "dtype": str(value.dtype),
            "shape": list(value.shape),
        }
    return value


def _read(value: Any, members: files.Members) -> Any:
    if isinstance(value, list):
        return [_read(one, members) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {"array", "dtype", "shape"}:
        return {key: _read(one, members) for key, one in value.items()}
    if value["dtype"] not in _DTYPES:
        raise ValueError(f"arrays must be of numbers. Received: dtype {value['dtype']!r}")
    numbers = np.frombuffer(members.read(f"arrays/{value['array']}"), value["dtype"])
    return numbers.reshape(value["shape"]).copy()
