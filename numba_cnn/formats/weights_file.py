"""Keras's tree of weights in HDF5, as .weights.h5 and inside .keras.

    layers/<class in snake case>[_k]/vars/0, 1, ...    weights; k counts layers of that class; a model inside has
                                                       layers/ of its own; attributes of the user's own classes
                                                       have their names
    optimizer/vars/0, 1, ...    iterations, learning rate unless there is a schedule, the arrays of the parameters

A file may come from anywhere: links out of it, virtual or external data, wrong shapes and sizes
beyond the file's own are refused before anything is read.
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from numba_cnn import files
from numba_cnn.formats import optimizer_state
from numba_cnn.formats.weights_tree import groups_of
from numba_cnn.layers import Layer
from numba_cnn.optimizers import Optimizer
from numba_cnn.parameter import Parameter

SUFFIX = ".weights.h5"
_LAYERS, _LAYERS_2 = "layers", "_layer_checkpoint_dependencies"  # Keras 2's name for the same
_GENERATOR = "seed_generator/vars"  # of layers of chance, below their own group


def save_weights(
    filepath: str | os.PathLike[str],
    model: Layer,
    optimizer: Optimizer | None,
    overwrite: bool = True,
) -> None:
    """Write a model's weights, and the state of a built optimizer, to a .weights.h5 file."""
    path = Path(filepath)
    if not path.name.endswith(SUFFIX):
        raise ValueError(f"save_weights: the file's name must end in {SUFFIX}. Received: {path}")
    weights = io.BytesIO()  # HDF5 has no good word for a disk that refuses to be written
    write(weights, model, optimizer)
    with files.replacing(path, overwrite) as file:
        file.write(weights.getbuffer())


def load_weights(
    filepath: str | os.PathLike[str],
    model: Layer,
    optimizer: Optimizer | None,
    skip_mismatch: bool = False,
) -> None:
    """Take over weights from a .weights.h5 file, and the state of a built optimizer if it fits.

    skip_mismatch    whether layers keep theirs of which the file has others, or none, with a warning
    """
    path = Path(filepath)
    if not path.name.endswith(SUFFIX):
        raise ValueError(f"load_weights: the file's name must end in {SUFFIX}. Received: {path}")
    with files.reading("the weights cannot be read", path), files.open_regular(path) as file:
        read(file, files.size(file), str(path), model, optimizer, skip_mismatch)


def write(file: BinaryIO, model: Layer, optimizer: Optimizer | None) -> None:
    """Write the tree into an open file."""
    import h5py  # type: ignore[import-untyped]

    with h5py.File(file, "w") as h5:
        for group, layer in groups_of(model):
            arrays = [] if layer.inner_layers else layer.get_weights()
            _write_arrays(h5, f"{group}/vars", layer.name, arrays)
            if isinstance(layer.generator, Parameter):
                state = layer.generator.numpy()[:2].astype(np.uint32)
                _write_arrays(h5, f"{group}/{_GENERATOR}", "seed_generator", [state])
        if optimizer is not None and optimizer.built:
            _write_arrays(h5, "optimizer/vars", optimizer.name, optimizer.get_variables())
        _write_arrays(h5, "vars", model.name, [])


def read(
    file: BinaryIO,
    size: int,
    origin: str,
    model: Layer,
    optimizer: Optimizer | None,
    skip_mismatch: bool = False,
) -> None:
    """Read the tree from an open file of `size` bytes; all of it before any is taken over."""
    import h5py

    with files.reading("the file's weights cannot be read", origin), h5py.File(file, "r") as h5:
        groups = groups_of(model)
        if _LAYERS_2 in h5 and _LAYERS not in h5:
            groups = _of_keras_2(h5, model)
        leaves = [(group, layer) for group, layer in groups if not layer.inner_layers]
        weights = [
            (parameter, parameter.checked(array))
            for group, layer in leaves
            for parameter, array in _read_layer(h5, group, layer, size, skip_mismatch)
        ]
        drawn = [(layer.generator, _read_generator(h5, group, size)) for group, layer in leaves]
        state = None
        if optimizer is not None and optimizer.built:
            state = _read_state(h5, optimizer, size)
    for parameter, array in weights:
        parameter.value = array
    for generator, numbers in drawn:
        if generator is not None and numbers is not None:
            generator.value = numbers
    if state is not None and optimizer is not None:
        optimizer.set_variables(state)


def _of_keras_2(h5: Any, model: Layer) -> list[tuple[str, Layer]]:
    """The groups as Keras 2 names them; up to 2.13 what has weights counts twice among the layers of its class."""
    groups: list[tuple[str, Layer]] = []
    for twice in (False, True):
        groups = [
            ("/".join(_LAYERS_2 if step == _LAYERS else step for step in group.split("/")), layer)
            for group, layer in groups_of(model, twice)
        ]
        leaves = [group for group, one in groups if one.weights and not one.inner_layers]
        if all(_stored(h5, f"{group}/vars") is not None for group in leaves):
            break
    return groups


def _read_generator(h5: Any, group: str, size: int) -> np.ndarray | None:
    """The (seed, counter, 0) of a layer of chance, or None where the file has none."""
    below = h5
    for step in (*group.split("/"), "seed_generator"):
        if step not in below:
            return None
        below = follow(below, step)
    (numbers,) = _read_arrays(h5, f"{group}/{_GENERATOR}", [((2,), np.dtype(np.int64))], size)
    return np.append(numbers, 0)


def _write_arrays(h5: Any, path: str, name: str, arrays: Sequence[np.ndarray]) -> None:
    group = h5.create_group(path)
    group.attrs["name"] = name
    for i, array in enumerate(arrays):
        group.create_dataset(str(i), data=array)


def _read_layer(
    h5: Any, group: str, layer: Layer, size: int, skip_mismatch: bool
) -> list[tuple[Parameter, np.ndarray]]:
    """The weights of a layer, each with its array.

    Where the file has another model's: ValueError with both layers and shapes, or nothing with a warning.
    """
    if not layer.weights:
        return []
    kinds = [_like(parameter) for parameter in layer.weights]
    mine, stored = [shape for shape, _ in kinds], _stored(h5, f"{group}/vars")
    arrays = [] if stored is None else _members(stored, len(mine) + 1)
    theirs = [getattr(array, "shape", None) for array in arrays]
    if theirs != mine:
        has = "nothing"
        if stored is not None:
            has = f"{str(stored.attrs.get('name', ''))[:80]!r} with {theirs}"
        what = f"layer {layer.name!r} has weights of shapes {mine}, the file has {has} in its place, {group}"
        if not skip_mismatch:
            raise ValueError(f"the weights are another model's: {what}")
        warnings.warn(f"load_weights: the layer keeps its weights: {what}", stacklevel=7)
        return []
    return list(zip(layer.weights, _read_arrays(h5, f"{group}/vars", kinds, size), strict=True))


def _stored(h5: Any, path: str) -> Any:
    """The group at a path, or None where there is none; ValueError for what lies elsewhere."""
    import h5py

    for step in path.split("/"):
        if not isinstance(h5, h5py.Group) or h5.get(step, getlink=True) is None:
            return None
        h5 = follow(h5, step)
    return h5 if isinstance(h5, h5py.Group) else None


def _members(group: Any, most: int) -> list[Any]:
    """What is called 0, 1, ... in a group."""
    names = takewhile(lambda name: group.get(name, getlink=True), map(str, range(most)))
    return [follow(group, name) for name in names]


def _like(parameter: Parameter) -> tuple[tuple[int, ...], np.dtype]:
    return parameter.shape, parameter.dtype


def _read_arrays(
    h5: Any, path: str, kinds: Sequence[tuple[tuple[int, ...], np.dtype]], size: int
) -> list[np.ndarray]:
    """The arrays of a group, which must have these shapes, as these dtypes."""
    group = follow(h5, path)
    if len(group) != len(kinds):
        raise ValueError(f"{path} must hold {len(kinds)} arrays. Received: {len(group)}")
    datasets = [follow(group, str(i)) for i in range(len(kinds))]
    for dataset, (shape, _) in zip(datasets, kinds, strict=True):
        check(dataset, shape, size)
    return [as_dtype(dataset, dtype) for dataset, (_, dtype) in zip(datasets, kinds, strict=True)]


def as_dtype(dataset: Any, dtype: np.dtype) -> np.ndarray:
    """The dataset's numbers; ValueError where the dtype does not reach them."""
    try:
        with np.errstate(over="raise"):
            return np.array(dataset[()], dtype)
    except FloatingPointError:
        raise ValueError(f"{dataset.name} holds numbers too large for {dtype}") from None


def _read_state(h5: Any, optimizer: Optimizer, size: int) -> list[np.ndarray] | None:
    """The optimizer's arrays; None where it was saved before use, or, with a warning, has others.

    ValueError where they are arrays of the right shapes that no optimizer has left there.
    """
    if "optimizer" not in h5:
        return None
    wide = np.dtype(np.float64)  # of single numbers
    kinds = [
        (array.shape, array.dtype if array.ndim else wide) for array in optimizer.get_variables()
    ]
    names, stored = optimizer.state_names(), _stored(h5, "optimizer/vars")
    # Keras 2 keeps the learning rate elsewhere.
    bare = stored is not None and len(stored) == len(kinds) - 1 and "learning_rate" in names
    try:
        state = _read_arrays(h5, "optimizer/vars", kinds[:1] + kinds[2:] if bare else kinds, size)
    except ValueError as error:
        warnings.warn(f"the optimizer starts afresh: {error}", stacklevel=2)
        return None
    if bare:
        state.insert(1, np.asarray(optimizer.get_variables()[1]))
    optimizer_state.check(names, state)
    return state


def follow(h5: Any, path: str) -> Any:
    """The object at a path, every step of which must be a plain (hard) link."""
    import h5py

    for step in path.split("/"):
        link = h5.get(step, getlink=True) if isinstance(h5, h5py.Group) else None
        if type(link) is not h5py.HardLink:
            raise ValueError(
                f"{path} must be stored in the file itself. Received: {link!r} at {step!r}"
            )
        h5 = h5[step]
    return h5


def check(dataset: Any, shape: tuple[int, ...], size: int) -> None:
    """Refuse what is no plain array of that shape, or claims more bytes than the file has."""
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise ValueError(f"weights must be arrays of numbers. Received: {dataset!r}")
    if dataset.shape != shape:
        raise ValueError(f"{dataset.name} must have shape {shape}. Received: {dataset.shape}")
    if dataset.is_virtual or dataset.external or dataset.nbytes > size:
        raise ValueError(
            f"{dataset.name} must be stored in the file itself. "
            f"Received: {dataset.nbytes} bytes, of {size} in the file"
        )
    chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if dataset.id.get_create_plist().get_nfilters() or chunk > size:
        raise ValueError(
            f"{dataset.name} must be stored as it is. "
            f"Received: packed data, or chunks of {chunk} bytes"
        )
