"""Images from a folder that has a folder for each class."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from numba_cnn import nearest, pictures, shapes
from numba_cnn.datasets.read_image import read_image
from numba_cnn.datasets.split import Split, every_fifth

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


@nearest.keywords
def image_folder(path: str | os.PathLike[str], size: tuple[int, int] = (64, 64)) -> Split:
    """The images in path/<class>/, resized to size (height, width); needs the extra `images`.

    returns    (x_train, y_train), (x_test, y_test), every fifth image of each class to test on;
               x (N, H, W, 3) float32 in [0, 1], y (N,) int32: the place of the class among the
               sorted folders

    A folder without images is a class too. Neither class nor image is what is hidden (.DS_Store,
    ._cat.png, .ipynb_checkpoints), what systems leave (__MACOSX, Thumbs.db), what is no regular file or
    folder (pipes, devices), or a link that leads nowhere.

    Raises ValueError for a folder without any image, or an image that cannot be read; see read_image().
    """
    size = shapes.pair("image_folder", "size", size)
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(f"image_folder: path must be a path. Received: {nearest.shown(path)}")
    images = [
        (image, label)
        for label, folder in enumerate(class_folders(path))
        for image in image_files(folder)
    ]
    if not images:
        raise ValueError(f"expected folders of images, one for each class. Received: {path}")
    x = np.empty((len(images), *size, 3), np.float32)
    for i, (image, _) in enumerate(images):
        x[i] = read_image(image, size)
    return every_fifth(x, np.array([label for _, label in images], np.int32))


def class_names(path: str | os.PathLike[str]) -> list[str]:
    """What the classes of a folder are called, in the order of their numbers."""
    return [folder.name for folder in class_folders(path)]


def class_folders(path: str | os.PathLike[str]) -> list[Path]:
    """The folders in a folder that are classes, in the order of their names."""
    return [
        folder
        for folder in _shown(path)
        if os.path.isdir(folder) and folder.name not in pictures.NO_CLASSES
    ]


def image_files(path: str | os.PathLike[str]) -> list[Path]:
    """The files in a folder that are images by their names, in the order of these."""
    return [
        file for file in _shown(path) if file.suffix.lower() in _SUFFIXES and os.path.isfile(file)
    ]


def _shown(path: str | os.PathLike[str]) -> list[Path]:
    """What a folder holds and does not hide."""
    return sorted(entry for entry in Path(path).iterdir() if not entry.name.startswith("."))
