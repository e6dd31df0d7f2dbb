"""The .h5 file of Keras 1 and 2, which Keras 3 still reads and writes.

    attributes            model_config and training_config as JSON, keras_version, backend
    model_weights/<layer>/...   the weights of a layer, listed in its attribute weight_names; layers in layer_names
    optimizer_weights/... iterations, learning rate, the arrays of each parameter, in weight_names

A file of weights alone has the layers at its top.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from numba_cnn import files
from numba_cnn.formats import description, legacy_config, optimizer_state
from numba_cnn.formats.weights_file import as_dtype, check, follow
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.parameter import Parameter
from numba_cnn.registry import Configuration

SUFFIXES = ".h5", ".hdf5"
MAGIC = b"\x89HDF\r\n\x1a\n"
_KERAS_VERSION = "3.15.1"  # whose format this is
_ATTRIBUTE_BYTES = 64512  # of one attribute; longer ones are cut in pieces
_NAMES = 2**16  # in one list


class LegacyModelFile(NamedTuple):
    """What an .h5 file holds: the model's description, and where its weights are."""

    path: Path
    description: Any

    @property
    def weights_bytes(self) -> int:
        """How many bytes weights may have."""
        return self.path.stat().st_size

    def load(self, model: Layer, optimizer: Optimizer | None) -> None:
        """Take over the weights, and the state of a built optimizer if it fits."""
        with _opened(self.path) as (h5, size):
            arrays = _by_place(_group(h5, "model_weights"), model.inner_layers, size)
            state = None
            if optimizer is not None and optimizer.built and "optimizer_weights" in h5:
                state = _state(_group(h5, "optimizer_weights"), optimizer, size)
        _take(arrays)
        if state is not None and optimizer is not None:
            optimizer.set_variables(state)


def is_one(filepath: str | os.PathLike[str]) -> bool:
    """Whether the file at that path is HDF5."""
    try:
        with files.open_regular(filepath) as file:
            return file.read(len(MAGIC)) == MAGIC
    except IsADirectoryError:
        return False


def open_model(filepath: str | os.PathLike[str]) -> LegacyModelFile:
    """The .h5 file of a whole model at that path; ValueError if it is none, or broken."""
    path = Path(filepath)
    with _opened(path) as (h5, _):
        if "model_config" not in h5.attrs:
            raise ValueError(
                f"the file holds weights alone: build the model and call load_weights. Received: {path}"
            )
        model = legacy_config.model(_json(h5, "model_config"))
        if "training_config" in h5.attrs:
            model["compile_config"] = legacy_config.training(_json(h5, "training_config"))
    return LegacyModelFile(path, model)


def save_model(
    filepath: str | os.PathLike[str],
    described: Configuration,
    model: Layer,
    optimizer: Optimizer | None,
    overwrite: bool = True,
) -> None:
    """Write a model's description, weights and optimizer state, whole or not at all."""
    training = described.get("compile_config")
    with _written(Path(filepath), overwrite) as h5:
        h5.attrs["keras_version"], h5.attrs["backend"] = _KERAS_VERSION, "numba_cnn"
        h5.attrs["model_config"] = json.dumps(
            {key: described[key] for key in ("class_name", "config")}
        )
        if training is not None:
            h5.attrs["training_config"] = json.dumps(legacy_config.written_training(training))
        _write_layers(h5.create_group("model_weights"), model.inner_layers)
        if optimizer is not None and optimizer.built:
            names = [f"{optimizer.name}/{i}" for i in range(len(optimizer.get_variables()))]
            _write(h5.create_group("optimizer_weights"), names, optimizer.get_variables())


def save_weights(filepath: str | os.PathLike[str], model: Layer, overwrite: bool = True) -> None:
    """Write the weights alone."""
    with _written(Path(filepath), overwrite) as h5:
        _write_layers(h5, model.inner_layers)


def load_weights(
    filepath: str | os.PathLike[str],
    model: Layer,
    *,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> None:
    """Take over the weights of a file of weights, or of a whole model: layer by layer, or by the layers' names.

    by_name          layers that the file does not name keep their weights
    skip_mismatch    whether layers keep theirs whose weights are of other shapes, with a warning
    """
    with _opened(Path(filepath)) as (h5, size):
        group = _group(h5, "model_weights") if "model_weights" in h5 else h5
        found = _by_name if by_name else _by_place
        arrays = found(group, model.inner_layers, size, skip_mismatch)
    _take(arrays)


Arrays = list[tuple[Parameter, np.ndarray]]


def _take(arrays: Arrays) -> None:
    for parameter, array in [(p, p.checked(a)) for p, a in arrays]:
        parameter.value = array


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, int]]:
    import h5py  # type: ignore[import-untyped]

    with (
        files.reading("not a complete .h5 file", path),
        files.open_regular(path) as file,
        h5py.File(file, "r") as h5,
    ):
        yield h5, files.size(file)


@contextmanager
def _written(path: Path, overwrite: bool) -> Iterator[Any]:
    import h5py

    content = io.BytesIO()  # HDF5 has no good word for a disk that refuses to be written
    with h5py.File(content, "w") as h5:
        yield h5
    with files.replacing(path, overwrite) as file:
        _copy(content, file)


def _copy(content: io.BytesIO, file: BinaryIO) -> None:
    file.write(content.getbuffer())


def _json(h5: Any, name: str) -> Any:
    text = h5.attrs[name]
    return description.read(text.encode() if isinstance(text, str) else bytes(text), name)


def _group(h5: Any, path: str) -> Any:
    import h5py

    group = follow(h5, path)
    if not isinstance(group, h5py.Group):
        raise ValueError(f"{path} must be a group. Received: {group!r}")
    return group


def weights_of(layer: Layer) -> list[Parameter]:
    """The weights of a layer in the order of these files: what trains comes first."""
    first = layer.trainable_weights
    return [*first, *(p for p in layer.weights if not any(p is other for other in first))]


def _write_layers(group: Any, layers: Sequence[Layer]) -> None:
    group.attrs["keras_version"], group.attrs["backend"] = _KERAS_VERSION, "numba_cnn"
    _write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        parameters = weights_of(layer)
        names = [p.path.rpartition("/")[0].rpartition("/")[2] + "/" + p.name for p in parameters]
        unique = [f"{name}_{i}" if name in names[:i] else name for i, name in enumerate(names)]
        _write(group.create_group(layer.name), unique, [p.numpy() for p in parameters])
    _write(group.create_group("top_level_model_weights"), [], [])


def _write(group: Any, names: Sequence[str], arrays: Sequence[np.ndarray]) -> None:
    _write_names(group, "weight_names", names)
    for name, array in zip(names, arrays, strict=True):
        group.create_dataset(name, data=array)


def _write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    """One attribute; or several that are numbered, where one would be too large."""
    encoded = np.array([name.encode() for name in names])
    count = 1 + encoded.nbytes // _ATTRIBUTE_BYTES
    if count == 1:
        group.attrs[attribute] = encoded
        return
    for i, piece in enumerate(np.array_split(encoded, 2 * count)):
        group.attrs[f"{attribute}{i}"] = piece


def _read_names(group: Any, attribute: str) -> list[str]:
    keys = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(keys)}" in group.attrs and keys != [attribute]:
        keys.append(f"{attribute}{len(keys)}")
    names = [name for key in keys for name in np.ravel(group.attrs[key])]
    if not keys or len(names) > _NAMES:
        raise ValueError(f"{group.name} must list its {attribute}. Received: {len(names)} of them")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _stored(group: Any) -> dict[str, list[Any]]:
    """The arrays of each layer that has any, by its name."""
    stored = {}
    for name in _read_names(group, "layer_names"):
        layer = _group(group, name)
        if weights := _read_names(layer, "weight_names"):
            stored[name] = [follow(layer, weight) for weight in weights]
    return stored


def _by_place(
    group: Any, layers: Sequence[Layer], size: int, skip_mismatch: bool = False
) -> Arrays:
    stored, weighted = _stored(group), [layer for layer in layers if layer.weights]
    if len(stored) != len(weighted):
        raise ValueError(
            f"the file must have weights for {len(weighted)} layers. Received: {len(stored)}"
        )
    pairs = zip(weighted, stored.values(), strict=True)
    return [one for layer, kept in pairs for one in _of_layer(layer, kept, size, skip_mismatch)]


def _by_name(group: Any, layers: Sequence[Layer], size: int, skip_mismatch: bool = False) -> Arrays:
    stored = _stored(group)
    named = [layer for layer in layers if layer.name in stored]
    return [
        one for layer in named for one in _of_layer(layer, stored[layer.name], size, skip_mismatch)
    ]


def _of_layer(layer: Layer, stored: list[Any], size: int, skip_mismatch: bool) -> Arrays:
    parameters = weights_of(layer)
    shapes = [tuple(getattr(dataset, "shape", ())) for dataset in stored]
    if shapes != [p.shape for p in parameters]:
        what = (
            f"{layer.name} must have weights of shapes {[p.shape for p in parameters]}. "
            f"Received: {shapes}"
        )
        if not skip_mismatch:
            raise ValueError(what)
        warnings.warn(f"load_weights: the layer keeps its weights: {what}", stacklevel=7)
        return []
    return [(p, _array(d, p.shape, p.dtype, size)) for p, d in zip(parameters, stored, strict=True)]


def _array(dataset: Any, shape: tuple[int, ...], dtype: np.dtype, size: int) -> np.ndarray:
    check(dataset, shape, size)
    return as_dtype(dataset, dtype)


def _state(group: Any, optimizer: Optimizer, size: int) -> list[np.ndarray] | None:
    """The optimizer's arrays; None, with a warning, where the file has others."""
    stored = [follow(group, name) for name in _read_names(group, "weight_names")]
    wide = np.dtype(np.float64)  # of single numbers
    own = optimizer.get_variables()
    kinds = [(array.shape, array.dtype if array.ndim else wide) for array in own]
    has_rate = len(stored) != len(kinds) - 1  # Keras 2 keeps the learning rate elsewhere
    if not has_rate:
        del kinds[1]
    try:
        if len(stored) != len(kinds):
            raise ValueError(f"its state has {len(kinds)} arrays. Received: {len(stored)}")
        state = [_array(d, *kind, size) for d, kind in zip(stored, kinds, strict=True)]
    except ValueError as error:
        warnings.warn(f"the optimizer starts afresh: {error}", stacklevel=3)
        return None
    if not has_rate:
        state.insert(1, np.asarray(own[1]))
    optimizer_state.check(optimizer.state_names(), state)
    return state
