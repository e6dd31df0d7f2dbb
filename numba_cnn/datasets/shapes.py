"""Drawn images of ten shapes, from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numba_cnn import nearest
from numba_cnn.datasets.split import Split, every_fifth
from numba_cnn.shapes import count

# How far a point (u, v) lies inside a shape of radius 1 around the origin, negative outside.
_DEPTHS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "disk": lambda u, v: 0.9 - np.hypot(u, v),
    "ring": lambda u, v: 0.2 - np.abs(np.hypot(u, v) - 0.75),
    "square": lambda u, v: 0.8 - np.maximum(np.abs(u), np.abs(v)),
    "triangle": lambda u, v: 0.5 - np.maximum(0.866 * np.abs(u) - 0.5 * v, v),
    "bar": lambda u, v: np.minimum(1 - np.abs(u), 0.3 - np.abs(v)),
    "cross": lambda u, v: np.maximum(_DEPTHS["bar"](u, v), _DEPTHS["bar"](v, u)),
    "star": lambda u, v: _star(u, v),
    "crescent": lambda u, v: np.minimum(1 - np.hypot(u, v), np.hypot(u - 0.55, v) - 0.85),
    "half disk": lambda u, v: np.minimum(1 - np.hypot(u, v - 0.4), 0.4 - v),
    "corner": lambda u, v: np.minimum(_DEPTHS["square"](u, v), -0.2 - np.minimum(u, v)),
}
CLASSES = tuple(_DEPTHS)
_SIZE = 64  # pixels
_BATCH = 256  # images drawn at once, which bounds the memory for it


@nearest.keywords
def shapes(n: int = 4000, seed: int = 0) -> Split:
    """Ten kinds of shapes, each with its own colours, place, size, rotation, shading and noise.

    No pixel alone says anything about the class: a linear model stays below 15 % of test accuracy,
    the command `numba-cnn train --data shapes` reaches 94 %.

    n          images in all, every fifth of each class to test on
    returns    (x_train, y_train), (x_test, y_test); x (N, 64, 64, 3) float32 in [0, 1],
               y (N,) int32: the place in CLASSES

    Raises ValueError for an n that is no integer of at least 1, or a seed of at least 0.
    """
    n, seed = count("shapes", "n", n), count("shapes", "seed", seed, 0)
    generator = np.random.default_rng(seed)
    y = generator.permutation(np.arange(n) % len(CLASSES)).astype(np.int32)
    x = np.empty((n, _SIZE, _SIZE, 3), np.float32)
    for start in range(0, n, _BATCH):
        x[start : start + _BATCH] = _draw(generator, y[start : start + _BATCH])
    return every_fifth(x, y)


def _draw(generator: np.random.Generator, y: np.ndarray) -> np.ndarray:
    """One image per label."""
    N = len(y)

    def uniform(low: float, high: float, *extents: int) -> np.ndarray:
        return generator.uniform(low, high, (N, *extents)).astype(np.float32)

    pixel = (np.arange(_SIZE, dtype=np.float32) + 0.5) / _SIZE
    radius, angle = uniform(0.28, 0.42, 1, 1), uniform(0, 2 * np.pi, 1, 1)
    vertical = (pixel[:, None] - uniform(0.45, 0.55, 1, 1)) / radius
    horizontal = (pixel - uniform(0.45, 0.55, 1, 1)) / radius
    u = np.cos(angle) * horizontal + np.sin(angle) * vertical
    v = np.cos(angle) * vertical - np.sin(angle) * horizontal

    inside = np.empty((N, _SIZE, _SIZE), np.float32)
    for label in np.unique(y):
        mine = y == label
        depth = _DEPTHS[CLASSES[label]](u[mine], v[mine]) * radius[mine] * _SIZE  # in pixels
        inside[mine] = np.clip(depth + 0.5, 0, 1)
    ink, paper = _two_colours(generator, N)
    shade = uniform(-0.3, 0.3, 1, 1) * pixel[:, None] + uniform(-0.3, 0.3, 1, 1) * pixel
    image: np.ndarray = paper + inside[..., None] * (ink - paper) + shade[..., None]
    image += uniform(0.02, 0.08, 1, 1, 1) * generator.standard_normal(image.shape, np.float32)
    return image.clip(0, 1)


def _two_colours(generator: np.random.Generator, N: int) -> tuple[np.ndarray, np.ndarray]:
    """For each image two colours, far enough apart to be told from each other."""
    first = generator.uniform(0, 1, (N, 1, 1, 3)).astype(np.float32)
    second = generator.uniform(0, 1, (N, 1, 1, 3)).astype(np.float32)
    near = np.abs(first - second).max(-1, keepdims=True) < 0.4
    return first, np.where(near, (first + 0.5) % 1, second)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Five points; folded onto half of one of them, the outline is a straight line."""
    r, angle = np.hypot(u, v), np.arctan2(v, u)
    fold = np.abs((angle + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    depth: np.ndarray = 0.32 - r * (0.31 * np.cos(fold) + 0.95 * np.sin(fold))
    return depth
