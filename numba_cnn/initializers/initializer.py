"""What an initializer is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, session
from numba_cnn.settings import Checked, Settings, integer, optional
from numba_cnn.shapes import extents


class Initializer(Checked):
    """Draws a NumPy array of a shape, float32 or float64; called twice it gives the same values."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        name = type(self).__name__
        return self._draw(extents(name, "shape", shape), float_dtype(name, dtype))

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))


class Random(Initializer):
    """One that draws: with a seed of its own where it is given none."""

    _settings: ClassVar[Settings] = {"seed": optional(integer(0))}

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self._drawn_seed = session.new_seed() if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._drawn_seed)


def float_dtype(op: str, dtype: Any) -> np.dtype:
    """The dtype, known to be one that kernels compute in."""
    try:
        found: np.dtype | None = None if dtype is None else np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found not in (np.float32, np.float64):
        raise ValueError(
            f"{op}: dtype must be float32 or float64. Received: {nearest.shown(dtype)}"
        )
    return found
