"""More images from few: each moved a little, differently in every epoch."""

from __future__ import annotations

import numpy as np

from numba_cnn import nearest, shapes


@nearest.keywords
def shift(x: np.ndarray, most: int, generator: np.random.Generator, out: np.ndarray) -> None:
    """Move each image by up to `most` pixels along each axis; the edge it leaves stays as it was.

    x, out    (N, H, W, C), any dtype; out must not share memory with x

    Raises ValueError or TypeError for arrays that are none, or do not fit together, and another `most` or generator.
    """
    for name, array in (("x", x), ("out", out)):
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"shift: {name} must be a NumPy array. Received: {nearest.shown(array)}"
            )
    shapes.rank("shift", "x", x.shape, 4, "(N, H, W, C)")
    shapes.same("shift", "out", out.shape, x.shape)
    if np.may_share_memory(x, out):
        raise ValueError("shift: out must not share memory with x. Received: arrays that do")
    most = shapes.count("shift", "most", most, 0)
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            "shift: generator must be a numpy.random.Generator. "
            f"Received: {nearest.shown(generator)}"
        )
    _, H, W, _ = x.shape
    if most > min(H, W):
        raise ValueError(f"shift: images of {H}x{W} cannot move that far. Received: most={most}")
    out[...] = x
    for i, (down, right) in enumerate(generator.integers(-most, most + 1, (len(x), 2))):
        to = slice(max(down, 0), H + min(down, 0)), slice(max(right, 0), W + min(right, 0))
        source = slice(max(-down, 0), H + min(-down, 0)), slice(max(-right, 0), W + min(-right, 0))
        out[i][to] = x[i][source]
