"""Datasets by name or by path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from numba_cnn import files, nearest
from numba_cnn.datasets.digits import digits
from numba_cnn.datasets.image_folder import image_folder
from numba_cnn.datasets.read_arrays import read_arrays
from numba_cnn.datasets.shapes import shapes
from numba_cnn.datasets.split import Split

_NAMED: dict[str, Callable[[], Split]] = {"digits": digits, "shapes": shapes}
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@nearest.keywords
def load(source: str | os.PathLike[str]) -> Split:
    """The set called "digits" or "shapes", or the one in a folder of class folders or an .npz file.

    The .npz file holds x_train, y_train, x_test and y_test, as Keras's do: images (N, H, W, C) or
    (N, H, W), floats as they are to be used or integers 0..255, which become 0..1.
    """
    if not isinstance(source, str | os.PathLike) or not os.fspath(source):
        raise TypeError(f"load: source must be a name or a path. Received: {nearest.shown(source)}")
    if source in _NAMED:
        return _NAMED[str(source)]()
    path = Path(source)
    if path.is_dir():
        return image_folder(path)
    if path.suffix != ".npz":
        names, what = ", ".join(_NAMED), "" if path.exists() else ", which is not there"
        raise ValueError(
            f"load: source must be {names}, a folder, or an .npz file. Received: {source!r:.80}{what}"
        )
    arrays = read_arrays(path)
    with files.reading("cannot read the arrays", path):
        if not set(_ARRAYS) <= set(arrays):
            raise ValueError(
                f"expected the arrays {', '.join(_ARRAYS)}. Received: {', '.join(arrays)}"
            )
        x_train, y_train, x_test, y_test = (arrays[name] for name in _ARRAYS)
        return (as_images(x_train), y_train), (as_images(x_test), y_test)


def as_images(x: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) as float32: a missing axis of channels is added, integers 0..255 become 0..1."""
    if x.ndim not in (3, 4):
        raise ValueError(f"expected images (N, H, W, C) or (N, H, W). Received: {x.shape}")
    if x.dtype.kind not in "biuf":
        raise ValueError(f"expected images of integers or floats. Received: {x.dtype}")
    if x.dtype.kind in "iu" and x.size and (x.min() < 0 or x.max() > 255):
        raise ValueError(
            f"expected integers of 0..255, or floats. Received: {x.min()} to {x.max()}"
        )
    images = x if x.ndim == 4 else x[..., None]
    scale = 255 if x.dtype.kind in "iu" else 1
    return np.asarray(images, np.float32) / np.float32(scale)
