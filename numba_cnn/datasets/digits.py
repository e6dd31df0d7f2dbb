"""Handwritten digits that come with the package.

Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning
Repository, 1998, doi.org/10.24432/C50P49, licensed CC BY 4.0: the 1,797 images of its test set, 8x8
pixels of 17 grey levels, written by 13 people. digits.npz holds them unchanged, in their order.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.datasets.split import Split, every_fifth

_LEVELS = 16  # the value of a pixel that is all ink


@nearest.keywords
def digits(size: int = 64) -> Split:
    """Handwritten digits 0..9, enlarged smoothly from 8x8 to size x size, grey in three channels.

    returns    (x_train, y_train), (x_test, y_test): 1,442 and 355 images, every fifth of each digit
               is to test on, by the same writers as those to train on; x (N, size, size, 3)
               float32 in [0, 1], white ink; y (N,) int32

    Raises ValueError for a size that is no integer of at least 1.
    """
    size = shapes.count("digits", "size", size)
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        images, y = stored["images"], stored["labels"].astype(np.int32)
    weights = bilinear(images.shape[1], size)
    grey = weights @ (images / np.float32(_LEVELS)) @ weights.T
    return every_fifth(np.repeat(grey[..., None], 3, axis=-1), y)


def bilinear(small: int, large: int) -> np.ndarray:
    """The matrix (large, small) that enlarges a line of pixels: between two pixels' centres, a
    weighted mean.
    """
    centres = (np.arange(large, dtype=np.float32) + 0.5) * small / large - 0.5
    distance = np.abs(np.clip(centres, 0, small - 1)[:, None] - np.arange(small, dtype=np.float32))
    weights: np.ndarray = np.maximum(1 - distance, 0, dtype=np.float32)
    return weights
