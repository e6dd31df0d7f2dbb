"""dense, forward and backward."""

import numpy as np

from numba_cnn import ops

from . import layers, workloads


class Dense:
    params = (list(layers.DENSE), [1, 32])
    param_names = ("layer", "batch")
    timeout = 300

    def setup(self, layer, batch):
        K, F = layers.DENSE[layer]
        self.x, self.weight, self.bias = (workloads.array(*s) for s in ((batch, K), (K, F), (F,)))
        self.y = ops.dense(self.x, self.weight, self.bias, activation="relu")
        self.dy = workloads.array(batch, F)
        expected = np.maximum(self.x.astype(np.float64) @ self.weight + self.bias, 0)
        np.testing.assert_allclose(self.y, expected, atol=1e-4 * expected.max())
        self.time_backward(layer, batch)

    def time_forward(self, layer, batch):
        ops.dense(self.x, self.weight, self.bias, activation="relu")

    def time_backward(self, layer, batch):
        ops.dense_backward(self.dy, self.x, self.weight, activation="relu", y=self.y)
