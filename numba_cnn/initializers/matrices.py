"""Initial values that are matrices."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from numba_cnn.initializers.initializer import Initializer, Random
from numba_cnn.settings import Settings, number


class Identity(Initializer):
    """gain on the diagonal of a matrix, 0 elsewhere."""

    _settings: ClassVar[Settings] = {"gain": number()}

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity: shape must have two extents. Received: {shape}")
        made: np.ndarray = np.asarray(self.gain * np.eye(*shape), dtype)
        return made


class Orthogonal(Random):
    """gain times a matrix whose rows, or columns if they are fewer, are orthogonal and of length 1; more axes than two
    are rows together.

    Source: Saxe et al., arXiv:1312.6120.
    """

    _settings: ClassVar[Settings] = {"gain": number()}

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def _draw(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape must have two extents at least. Received: {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = self._generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))  # so that all such matrices are equally likely
        made: np.ndarray = (self.gain * (q if rows >= columns else q.T)).reshape(shape)
        return made.astype(dtype)
