"""Images from a folder that has a folder for each class."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from numba_cnn.datasets.split import Split, every_fifth

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def image_folder(path: str | os.PathLike[str], size: tuple[int, int] = (64, 64)) -> Split:
    """The images in path/<class>/, resized to size (height, width); needs the extra `images`.

    returns    (x_train, y_train), (x_test, y_test), every fifth image of each class to test on;
               x (N, H, W, 3) float32 in [0, 1], y (N,) int32: the place of the class among the
               sorted folders
    """
    folders = sorted(folder for folder in Path(path).iterdir() if folder.is_dir())
    files = [
        (file, label)
        for label, folder in enumerate(folders)
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in _SUFFIXES
    ]
    if not files:
        raise ValueError(f"expected folders of images, one for each class. Received: {path}")
    x = np.empty((len(files), *size, 3), np.float32)
    for i, (file, _) in enumerate(files):
        x[i] = read_image(file, size)
    return every_fifth(x, np.array([label for _, label in files], np.int32))


def read_image(
    path: str | os.PathLike[str], size: tuple[int, int], channels: int = 3
) -> np.ndarray:
    """An image file as float32 in [0, 1], (H, W, 3), or in grey (H, W, 1); needs Pillow."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ImportError(
            f'reading image files needs Pillow: pip install "numba-cnn[images]". Received: {path}'
        ) from None
    try:
        with Image.open(path) as image:
            converted = image.convert("L" if channels == 1 else "RGB").resize(size[::-1])
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot read the image: {error}. Received: {path}") from error
    return np.asarray(converted, np.float32).reshape(*size, channels) / 255
