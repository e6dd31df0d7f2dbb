"""Images of another size on the host, by every interpolation that Keras and TensorFlow share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, shapes
from numba_cnn.settings import choice

Pair = tuple[int, int]


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys's, with a = -1/2."""
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, lambda x: np.maximum(0, 1 - x)),
    "bicubic": (2, _cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}
INTERPOLATIONS = "nearest", *_KERNELS


def smart_resize(
    x: Any, size: Pair, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> np.ndarray:
    """Images (H, W, C) or (N, H, W, C) of another size (height, width), of which what does not fit is cut off at both
    sides, so that nothing is stretched; float32.

    interpolation    "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"; no wider window where images shrink

    Raises ValueError for other arguments.
    """
    size = shapes.pair("smart_resize", "size", size)
    choice(*INTERPOLATIONS)("smart_resize", "interpolation", interpolation)
    choice("channels_last")("smart_resize", "data_format", data_format)
    images: np.ndarray = np.asarray(x)
    if images.ndim not in (3, 4) or images.dtype.kind not in "fiub" or not images.size:
        raise ValueError(
            f"smart_resize: x must be images (H, W, C) or (N, H, W, C). Received: {nearest.shown(x)}"
        )
    batch = images if images.ndim == 4 else images[None]
    y = resized(batch, size, interpolation, crop=True)
    return y if images.ndim == 4 else y[0]


def resized(
    x: np.ndarray,
    size: Pair,
    interpolation: str = "bilinear",
    *,
    crop: bool = False,
    pad: bool = False,
    antialias: bool = False,
) -> np.ndarray:
    """Images (N, H, W, C) of another size, cut or framed in black first to its shape if so asked, as float32.

    antialias    whether windows become wider where images shrink
    """
    x = _of_shape(x, size, crop, pad)
    H, W = x.shape[1:3]
    if size == (H, W):
        return x.astype(np.float32)
    if interpolation == "nearest":
        rows, columns = (_nearest(e, out) for e, out in zip((H, W), size, strict=True))
        picked: np.ndarray = x[:, rows][:, :, columns].astype(np.float32)
        return picked
    if interpolation == "bilinear" and not antialias:
        return _bilinear(x, size)
    y = x.astype(np.float32)
    for axis, out in ((1, size[0]), (2, size[1])):
        y = _along(y, axis, out, *_KERNELS[interpolation], antialias)
    return y


def _of_shape(x: np.ndarray, size: Pair, crop: bool, pad: bool) -> np.ndarray:
    """The middle of images that has the shape of size, or the images with as much around them."""
    (H, W), (OH, OW) = x.shape[1:3], size
    h, w = int(W * OH / OW), int(H * OW / OH)
    if crop:
        h, w = max(min(H, h), 1), max(min(W, w), 1)
        top, left = (H - h) // 2, (W - w) // 2
        return x[:, top : top + h, left : left + w]
    down, across = (max(0, more) // 2 if pad else 0 for more in (h - H, w - W))
    if not down and not across:
        return x
    return np.pad(x, ((0, 0), (down, down), (across, across), (0, 0)))


def _nearest(extent: int, out: int) -> np.ndarray:
    """Which of `extent` pixels lies nearest to each of `out`."""
    centers = (np.arange(out, dtype=np.float32) + np.float32(0.5)) * extent / out
    places: np.ndarray = np.floor(centers).astype(np.int64)
    return places


def _bilinear(x: np.ndarray, size: Pair) -> np.ndarray:
    """Of compiled code; what lies between the centres of pixels."""
    g = shapes.affine_transform2d("resize", x.shape, size)
    across, down = g.W / g.OW, g.H / g.OH
    row = [across, 0, across / 2 - 0.5, 0, down, down / 2 - 0.5]
    if x.dtype != np.uint8:
        x = x.astype(np.float32, copy=False)
    y: np.ndarray = np.empty(g.y, np.float32)
    images = np.require(x, requirements=["C", "A", "W"])
    matrices = np.tile(np.array(row), (g.N, 1))
    backends.get("cpu").warp_images(images, matrices, g, True, "nearest", 0.0, y)
    return y


def _along(
    x: np.ndarray,
    axis: int,
    out: int,
    radius: int,
    kernel: Callable[[np.ndarray], np.ndarray],
    antialias: bool,
) -> np.ndarray:
    """Another extent of one axis: of each new pixel the sum of those within the radius, by the kernel's weights."""
    extent = x.shape[axis]
    if extent == out:
        return x
    wide = max(extent / out, 1) if antialias else 1
    centers = (np.arange(out) + 0.5) * extent / out - 0.5
    first = np.floor(centers - radius * wide).astype(np.int64)
    places = first[:, None] + np.arange(2 * math.ceil(radius * wide) + 2)
    weights = kernel(np.abs(centers[:, None] - places) / wide)
    weights[(places < 0) | (places >= extent)] = 0
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    places = places.clip(0, extent - 1)
    shape = [1] * x.ndim
    shape[axis] = out
    y = np.zeros((*x.shape[:axis], out, *x.shape[axis + 1 :]), np.float32)
    for tap in range(places.shape[1]):
        if weights[:, tap].any():
            y += np.take(x, places[:, tap], axis) * weights[:, tap].reshape(shape)
    return y
