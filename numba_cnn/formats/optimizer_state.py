"""What an optimizer's state in a file may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOST_ITERATIONS = 2**31 - 1  # files hold them as int32
# Arrays of which roots are taken, or that divide: sums and means of squares, and largest sizes.
_NOT_NEGATIVE = frozenset(
    {"accumulated_delta_var", "accumulated_grad", "accumulator", "norm", "velocity", "velocity_hat"}
)


def check(names: Sequence[str], state: Sequence[np.ndarray]) -> None:
    """Refuse a state that no optimizer leaves, whose arrays have these names: weights would become NaN.

    Raises ValueError.
    """
    for i, (name, array) in enumerate(zip(names, state, strict=True)):
        where = f"optimizer/vars/{i}"
        if name == "iterations":
            if not (0 <= array <= _MOST_ITERATIONS and float(array).is_integer()):
                raise ValueError(f"{where} must be a number of steps. Received: {float(array)}")
        elif name == "learning_rate":
            if not 0 <= array < np.inf:
                raise ValueError(f"{where} must be a learning rate. Received: {float(array)}")
        elif name == "u_product":
            if not 0 <= array <= 1:
                raise ValueError(f"{where} must be a number from 0 to 1. Received: {float(array)}")
        else:
            low, high = (array.min(), array.max()) if array.size else (0, 0)
            least = 0 if name in _NOT_NEGATIVE else -np.inf
            if not (least <= low and -np.inf < low and high < np.inf):
                what = "finite numbers" if least else "finite numbers of at least 0"
                raise ValueError(f"{where} must hold {what}. Received: {low} to {high}")
