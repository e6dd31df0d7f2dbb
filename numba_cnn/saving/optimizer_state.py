"""What an optimizer's state in a file may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOST_ITERATIONS = 2**31 - 1  # files hold them as int32
# Of the arrays of each parameter: how many there are, and which is a mean of squares, of which roots are taken.
_SQUARES = {"Adam": (2, 1), "RMSprop": (1, 0)}


def check(optimizer: str, state: Sequence[np.ndarray]) -> None:
    """Refuse a state (iterations, learning rate, arrays) that no optimizer of that class leaves: weights would
    become NaN.

    Raises ValueError.
    """
    iterations, rate, *arrays = state
    if not (0 <= iterations <= _MOST_ITERATIONS and float(iterations).is_integer()):
        raise ValueError(
            f"optimizer/vars/0 must be a number of steps. Received: {float(iterations)}"
        )
    if not 0 <= rate < np.inf:
        raise ValueError(f"optimizer/vars/1 must be a learning rate. Received: {float(rate)}")
    slots, squares = _SQUARES.get(optimizer, (1, None))
    for i, array in enumerate(arrays):
        low, high = (array.min(), array.max()) if array.size else (0, 0)
        least = 0 if i % slots == squares else -np.inf
        if not (least <= low and -np.inf < low and high < np.inf):
            what = "finite numbers" if least else "finite numbers of at least 0"
            raise ValueError(f"optimizer/vars/{i + 2} must hold {what}. Received: {low} to {high}")
