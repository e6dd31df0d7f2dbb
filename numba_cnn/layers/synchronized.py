"""Batch normalization by the statistics of a whole batch, of which several ranks have a share each.

Each rank computes its share's; between launches the ranks sum what they have found, in float64 and by the shares'
weights. A rank's gradients are those of its share's mean loss, so that they add up by the same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numba_cnn import backends, ops
from numba_cnn.ops import Array


class Statistics:
    """The mean and the variance of each channel, of a share and of the whole batch; gamma and beta as they are."""

    def __init__(self, ranks: Any, gamma: Array, beta: Array, epsilon: float) -> None:
        self._ranks, self.gamma, self.beta, self.epsilon = ranks, gamma, beta, epsilon
        self._backend = backends.of("batch_norm", gamma=gamma)

    def forward(
        self, x: Array, moving: tuple[Array, Array], momentum: float
    ) -> tuple[Array, Callable[..., Any]]:
        """(y, backward(dy) -> dx, dgamma, dbeta) of a share; the moving statistics follow those of the batch."""
        asarray, count = self._backend.asarray, self.gamma.size
        mine = [asarray(np.zeros(count, x.dtype)) for _ in range(2)]  # which a momentum of 0 fills
        ops.batch_norm(x, self.gamma, self.beta, mine[0], mine[1], 0.0, self.epsilon)
        mean, variance = whole = [np.zeros(count, x.dtype) for _ in range(2)]

        def meet() -> None:
            m, v = (self._backend.to_numpy(array).astype(np.float64) for array in mine)
            sums = self._sum(m, v + m * m)
            mean[:], variance[:] = sums[0], np.maximum(sums[1] - sums[0] ** 2, 0)

        self._call(meet)
        means, variances = statistics = [asarray(array) for array in whole]
        for array, value in zip(moving, statistics, strict=True):
            constants = momentum, 1 - momentum
            self._backend.update(array, value, None, None, None, "blend", constants)
        y = ops.batch_norm_inference(x, self.gamma, self.beta, means, variances, self.epsilon)
        return y, lambda dy, need_dx=True: self._backward(dy, x, means, variances, need_dx)

    def _backward(self, dy: Array, x: Array, mean: Array, variance: Array, need_dx: bool) -> Any:
        """The gradient by the whole batch's statistics, less what their own gradients change."""
        dx, *mine = ops.batch_norm_inference_backward(
            dy, x, self.gamma, mean, variance, self.epsilon
        )
        if not need_dx:
            return None, *mine
        count, rows = self.gamma.size, x.size // self.gamma.size
        kept, factors = self._kept(mine), [np.zeros(count, x.dtype) for _ in range(2)]

        def meet() -> None:
            sums = self._sum(*(array.astype(np.float64) for array in kept))
            gamma, spread = map(self._backend.to_numpy, (self.gamma, variance))
            factor = gamma / np.sqrt(spread + self.epsilon) / rows
            factors[0][:], factors[1][:] = factor * sums[0], factor * sums[1]

        self._call(meet)
        scale, shift = map(self._backend.asarray, factors)
        rest = ops.batch_norm_inference(x, scale, shift, mean, variance, self.epsilon)
        return ops.subtract(dx, rest), *mine

    def _sum(self, *vectors: np.ndarray) -> np.ndarray:
        """The vectors' sums over ranks, by the weight of their shares."""
        weight = self._ranks.weight
        sums = np.stack(vectors) * weight if weight else np.zeros((len(vectors), vectors[0].size))
        summed: np.ndarray = self._ranks.sum(sums)
        return summed

    def _kept(self, arrays: list[Array]) -> list[np.ndarray]:
        """The arrays on memory that calls between launches can read."""
        if not self._backend.ABILITIES.records:
            return [np.asarray(self._backend.to_numpy(array)) for array in arrays]
        kept = [np.zeros(array.shape, array.dtype) for array in arrays]
        for array, copy in zip(arrays, kept, strict=True):
            self._backend.weigh(array, np.ones(1, array.dtype), copy)
        return kept

    def _call(self, meet: Callable[[], None]) -> None:
        if self._backend.ABILITIES.records:
            self._backend.host_call(meet)
        else:
            meet()
