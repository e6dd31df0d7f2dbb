"""More images from few: each moved a little, differently in every epoch."""

from __future__ import annotations

import numpy as np


def shift(x: np.ndarray, most: int, generator: np.random.Generator, out: np.ndarray) -> None:
    """Move each image by up to `most` pixels along each axis; the edge it leaves stays as it was.

    x, out    (N, H, W, C), any dtype; out must not share memory with x
    """
    _, H, W, _ = x.shape
    out[...] = x
    for i, (down, right) in enumerate(generator.integers(-most, most + 1, (len(x), 2))):
        to = slice(max(down, 0), H + min(down, 0)), slice(max(right, 0), W + min(right, 0))
        source = slice(max(-down, 0), H + min(-down, 0)), slice(max(-right, 0), W + min(-right, 0))
        out[i][to] = x[i][source]
