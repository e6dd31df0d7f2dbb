"""The images of --data: to train on, to validate on, to test on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import datasets, nearest, threads
from numba_cnn.datasets.image_folder import class_folders, image_files
from numba_cnn.datasets.read_image import read_image
from numba_cnn.datasets.split import every_fifth

_IN_MEMORY = 2**30  # bytes of images up to which all are read at once
_TRAINING, _TESTING = ("train", "training"), ("test", "testing", "val", "valid", "validation")
_IMAGES, _MASKS = "images", "masks"

Size = tuple[int, int]


class Part(NamedTuple):
    """Images with the class of each, or of each of their pixels; x is an array, or gives batches (x, y)."""

    x: Any
    y: np.ndarray
    names: list[str]  # files, or numbers

    def take(self, which: np.ndarray) -> Part:
        x = self.x.take(which) if isinstance(self.x, Files) else self.x[which]
        return Part(x, self.y[which], [self.names[i] for i in which])

    def images(self, which: Sequence[int] | np.ndarray) -> np.ndarray:
        """Some of the images."""
        x = self.x.take(np.asarray(which)).all() if isinstance(self.x, Files) else self.x[which]
        found: np.ndarray = np.asarray(x, np.float32)
        return found

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """x and y as fit() takes them."""
        return {"x": self.x} if isinstance(self.x, Files) else {"x": self.x, "y": self.y}


class Data(NamedTuple):
    """All of --data."""

    train: Part
    validation: Part
    test: Part
    class_names: list[str] | None
    classes: int
    shape: tuple[int, int, int]


class Files:
    """Image files that are read when their batch is made, by several threads: batches (x, y)."""

    def __init__(
        self, paths: list[str], y: np.ndarray, size: Size, batch_size: int, channels: int = 3
    ) -> None:
        self.workers = threads.cores()
        self.paths, self.y, self.size = paths, y, size
        self.batch_size, self.channels = batch_size, channels

    def __len__(self) -> int:
        return -(-len(self.paths) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return np.stack([*map(self._read, self.paths[part])]), self.y[part]

    def _read(self, path: str) -> np.ndarray:
        return read_image(path, self.size, self.channels)

    def take(self, which: np.ndarray) -> Files:
        paths = [self.paths[i] for i in which]
        return Files(paths, self.y[which], self.size, self.batch_size, self.channels)

    def all(self) -> np.ndarray:
        """All images (N, H, W, C), float32 in [0, 1]."""
        x = np.empty((len(self.paths), *self.size, self.channels), np.float32)
        for i, image in enumerate(threads.mapped(self._read, self.paths)):
            x[i] = image
        return x


def load(source: str, size: Size | None, batch_size: int = 32, channels: int = 3) -> Data:
    """The data set of that name, or in that file or folder.

    size        (H, W) of a folder's images; None: 64x64
    channels    3, or 1 for grey, of a folder's images

    Raises ValueError for what is no data set, FileNotFoundError for what is not there.
    """
    if not os.path.isdir(source):
        (x, y), (x_test, y_test) = datasets.load(source)
        if source == "shapes":
            from numba_cnn.datasets.shapes import CLASSES

            names: list[str] | None = list(CLASSES)
        else:
            names = None
        y, y_test = np.asarray(y), np.asarray(y_test)
        train, test = _part(x, y), _part(x_test, y_test)
        return _divided(train, test, names, int(max(y.max(), y_test.max())) + 1, x.shape[1:])
    wanted = size or (64, 64)
    folders = {folder.name.lower(): folder for folder in class_folders(source)}
    if set(folders) == {_IMAGES, _MASKS}:
        return _segmentation(folders[_IMAGES], folders[_MASKS], wanted)
    training = next((folders[name] for name in _TRAINING if name in folders), None)
    testing = next((folders[name] for name in _TESTING if name in folders), None)
    parted = (
        training is not None
        and testing is not None
        and not (image_files(training) or image_files(testing))
    )
    paths, y, names = _files(training if training and parted else Path(source), None)
    shape = (*wanted, channels)
    if parted:
        assert testing is not None
        test_paths, test_y, _ = _files(testing, names)
    else:
        (paths, y), (test_paths, test_y) = _fifths(paths, y)
    parts = [
        Part(_kept(Files(p, one, wanted, batch_size, channels)), one, p)
        for p, one in ((paths, y), (test_paths, test_y))
    ]
    return _divided(parts[0], parts[1], names, len(names), shape)


def _part(x: np.ndarray, y: np.ndarray) -> Part:
    return Part(x, y, [*map(str, range(len(y)))])


def _divided(train: Part, test: Part, names: list[str] | None, classes: int, shape: Any) -> Data:
    """Every tenth of what there is to train on is held back to validate on.

    Files that are read batch by batch are mixed first: an epoch has an order of batches of its own, but not of images.
    """
    if isinstance(train.x, Files):
        train = train.take(np.random.default_rng(0).permutation(len(train.y)))
    held = np.arange(len(train.y)) % 10 == 9
    if not held.any():
        held[-1] = len(held) > 1
    parts = train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held))
    return Data(*parts, test, names, classes, shape)


def _files(folder: Path, names: list[str] | None) -> tuple[list[str], np.ndarray, list[str]]:
    """Paths, the class of each, and the classes' names: those of the folders."""
    folders = {one.name: one for one in class_folders(folder)}
    if names is None:
        names = [name for name, one in folders.items() if image_files(one)]
        empty = [name for name in folders if name not in names]
        if names and empty:
            print(
                f"{folder}: no images lie in {', '.join(map(repr, empty[:5]))}"
                f"{f' and {len(empty) - 5} more folders' if len(empty) > 5 else ''}: left out as classes",
                file=sys.stderr,
            )
    unknown = [name for name, one in folders.items() if name not in names and image_files(one)]
    if unknown:
        raise ValueError(
            f"{folder} has a class that there is nothing of to train on. Received: {unknown[0]!r}"
        )
    found = [
        (str(path), i)
        for i, name in enumerate(names)
        if name in folders
        for path in image_files(folders[name])
    ]
    if not found:
        raise ValueError(
            f"expected folders of images, one for each class. Received: {nearest.shown(str(folder))}"
        )
    return [path for path, _ in found], np.array([i for _, i in found], np.int32), names


def _fifths(paths: list[str], y: np.ndarray) -> Any:
    """Every fifth image of each class is for testing."""
    (train, y_train), (test, y_test) = every_fifth(np.arange(len(paths)), y)
    return ([paths[i] for i in train], y_train), ([paths[i] for i in test], y_test)


def _kept(x: Files) -> Any:
    """The images themselves, where memory holds them."""
    size = len(x.paths) * x.size[0] * x.size[1] * x.channels * 4
    return x.all() if size <= _IN_MEMORY else x


def _segmentation(images: Path, masks: Path, size: Size) -> Data:
    """images/a.png with masks/a.png, whose values are the classes of the pixels."""
    by_stem = {path.stem: path for path in image_files(masks)}
    paths = [path for path in image_files(images) if path.stem in by_stem]
    if len(paths) < 3:
        raise ValueError(
            f"expected three images at least with a mask of the same name. Received: {len(paths)} in {images}"
        )
    raw = np.stack([*threads.mapped(lambda path: _mask(by_stem[path.stem], size), paths)])
    values, y = np.unique(raw, return_inverse=True)
    if len(values) > 256:
        raise ValueError(
            f"expected masks of at most 256 values. Received: {len(values)} in {masks}"
        )
    y = y.reshape(raw.shape).astype(np.int32)
    x = Files([*map(str, paths)], y, size, 32).all()
    test = np.arange(len(paths)) % 5 == 4
    test[-1] |= not test.any()
    whole = Part(x, y, [*map(str, paths)])
    parts = whole.take(np.flatnonzero(~test)), whole.take(np.flatnonzero(test))
    return _divided(*parts, [*map(str, values)], len(values), (*size, 3))


def _mask(path: Path, size: Size) -> np.ndarray:
    """A mask's values, whole numbers, each pixel that of the nearest."""
    from numba_cnn.datasets.read_image import read_values

    return read_values(path, size)
