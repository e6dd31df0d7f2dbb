"""Changes of one image, as Keras's ImageDataGenerator draws and makes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
    """The six numbers by which warp_images() turns, moves, shears, zooms and mirrors an image; None for no change.

    As in Keras, turns and zooms go around the place (H - 1) / 2 columns and (W - 1) / 2 rows from the corner, the
    middle of a square image, and tx counts columns, ty rows.
    """
    H, W, _ = shape
    theta, shear = (math.radians(parameters.get(name, 0)) for name in ("theta", "shear"))
    tx, ty = (parameters.get(name, 0) for name in ("tx", "ty"))
    zx, zy = (parameters.get(name, 1) for name in ("zx", "zy"))
    c, s, slant, rest = math.cos(theta), math.sin(theta), math.sin(shear), math.cos(shear)
    a0, a1, a2 = c * zx, -(c * slant + s * rest) * zy, c * tx - s * ty
    b0, b1, b2 = s * zx, (c * rest - s * slant) * zy, s * tx + c * ty
    flips = parameters.get("flip_horizontal"), parameters.get("flip_vertical")
    if not any(flips) and (a0, a1, a2, b0, b1, b2) == (1, 0, 0, 0, 1, 0):
        return None
    x, y = H / 2 - 0.5, W / 2 - 0.5
    a2, b2 = a2 + x - a0 * x - a1 * y, b2 + y - b0 * x - b1 * y
    if flips[0]:
        a0, a2, b0, b2 = -a0, a2 + a0 * (W - 1), -b0, b2 + b0 * (W - 1)
    if flips[1]:
        a1, a2, b1, b2 = -a1, a2 + a1 * (H - 1), -b1, b2 + b1 * (H - 1)
    return np.array([[a0, a1, a2, b0, b1, b2]])


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
