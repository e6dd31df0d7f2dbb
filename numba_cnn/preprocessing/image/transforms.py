"""Changes of one image, as Keras's ImageDataGenerator draws and makes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, settings, shapes
from numba_cnn.utils import array_to_img, img_to_array

Parameters = Mapping[str, Any]


def as_numbers(op: str, x: Any, axes: int, what: str) -> np.ndarray:
    """An array of numbers with so many axes; ValueError, which says what it should be."""
    array = settings.array(x)
    if array.ndim != axes or array.dtype.kind not in "fiub" or not array.size:
        raise ValueError(f"{op}: x must be {what} of numbers. Received: {nearest.shown(x)}")
    return array


def affine_map(shape: tuple[int, ...], parameters: Parameters) -> np.ndarray | None:
    """The six numbers by which warp_images() turns, moves, shears and zooms an image; None for no change.

    As in Keras, turns and zooms go around the place (H - 1) / 2 columns and (W - 1) / 2 rows from the corner, the
    middle of a square image, and tx counts columns, ty rows. The matrices are multiplied in Keras's order, since a
    place that lies on a border, or in the middle between two pixels, falls to the side to which the products round.
    """
    theta, shear, tx, ty = (parameters.get(name, 0) for name in ("theta", "shear", "tx", "ty"))
    zx, zy = (parameters.get(name, 1) for name in ("zx", "zy"))
    parts = []
    if theta:
        c, s = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
        parts.append(_matrix(c, -s, 0, s, c, 0))
    if tx or ty:
        parts.append(_matrix(1, 0, tx, 0, 1, ty))
    if shear:
        parts.append(_matrix(1, -np.sin(np.deg2rad(shear)), 0, 0, np.cos(np.deg2rad(shear)), 0))
    if zx != 1 or zy != 1:
        parts.append(_matrix(zx, 0, 0, 0, zy, 0))
    if not parts:
        return None
    x, y = shape[0] / 2 - 0.5, shape[1] / 2 - 0.5
    around = np.dot(_matrix(1, 0, x, 0, 1, y), reduce(np.dot, parts))
    found: np.ndarray = np.dot(around, _matrix(1, 0, -x, 0, 1, -y))[:2].reshape(1, 6)
    return found


def _matrix(*numbers: float) -> np.ndarray:
    """Two rows of three, and the row 0, 0, 1."""
    return np.array((numbers[:3], numbers[3:], (0, 0, 1)), np.float64)


def mirrored(x: np.ndarray, horizontal: bool, vertical: bool) -> np.ndarray:
    """An image (H, W, C) mirrored left to right, upside down, or both, as float32."""
    return np.array(x[:: -1 if vertical else 1, :: -1 if horizontal else 1], np.float32)


def warped(
    x: np.ndarray, matrix: np.ndarray, order: int, fill_mode: str, cval: float
) -> np.ndarray:
    """An image (H, W, C) through a map, as float32."""
    if x.dtype != np.uint8:
        x = x.astype(np.float32, copy=False)
    image = np.require(x[None], requirements=["C", "A", "W"])
    g = shapes.affine_transform2d("warp_images", image.shape, None)
    y: np.ndarray = np.empty(g.y, np.float32)
    backends.get("cpu").warp_images(image, matrix, g, order > 0, fill_mode, float(cval), y)
    found: np.ndarray = y[0]
    return found


def shifted_channels(x: np.ndarray, intensity: float) -> np.ndarray:
    """The image with a number added to all values, which stay between its least and its largest."""
    moved: np.ndarray = np.clip(x + intensity, x.min(), x.max())
    return moved


def brightened(x: np.ndarray, factor: float) -> np.ndarray:
    """The image times a factor, by Pillow: in whole numbers 0..255, to which values beyond are brought and back."""
    low, high = float(x.min()), float(x.max())
    beyond = low < 0 or high > 255
    image = array_to_img(x, scale=beyond)
    from PIL import ImageEnhance

    y = img_to_array(ImageEnhance.Brightness(image).enhance(factor))
    return y / 255 * (high - low) + low if beyond else y
