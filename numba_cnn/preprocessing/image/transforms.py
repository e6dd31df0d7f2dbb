"""Changes of one image, as Keras's ImageDataGenerator draws and makes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, shapes
from numba_cnn.utils import array_to_img, img_to_array

Parameters = Mapping[str, Any]


def as_numbers(op: str, x: Any, axes: int, what: str) -> np.ndarray:
    """An array of numbers with so many axes; ValueError, which says what it should be."""
    try:
        array: np.ndarray = np.asarray(x)
    except ValueError:  # lists of several lengths
        array = np.array(None)
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
    c, s = math.cos(theta), math.sin(theta)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1.0]])
    sheared = np.array([[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1.0]])
    moved = turn @ shift @ sheared @ np.diag([zx, zy, 1.0])
    flips = parameters.get("flip_horizontal"), parameters.get("flip_vertical")
    if not any(flips) and np.array_equal(moved, np.eye(3)):
        return None
    center = np.array([[1, 0, H / 2 - 0.5], [0, 1, W / 2 - 0.5], [0, 0, 1]])
    back = np.array([[1, 0, -center[0, 2]], [0, 1, -center[1, 2]], [0, 0, 1]])
    found: np.ndarray = center @ moved @ back
    for axis, extent in ((0, W), (1, H)):
        if flips[axis]:
            found[:, 2] += found[:, axis] * (extent - 1)
            found[:, axis] *= -1
    return found[:2].reshape(1, 6)


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
