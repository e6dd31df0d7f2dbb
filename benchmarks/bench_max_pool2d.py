"""Max pooling, forward and backward."""

import numpy as np

from numba_cnn import ops

from . import layers, workloads


class MaxPool2D:
    params = (list(layers.POOL),)
    param_names = ("layer",)
    timeout = 300

    def setup(self, layer):
        extent, self.size, self.strides = layers.POOL[layer]
        self.x = workloads.array(8, *extent)
        y, self.argmax = ops.max_pool2d(self.x, self.size, strides=self.strides)
        self.dy = workloads.array(*y.shape)
        dx = self._backward()
        np.testing.assert_allclose(dx.sum(), self.dy.sum(), rtol=1e-2, atol=1)

    def time_forward(self, layer):
        ops.max_pool2d(self.x, self.size, strides=self.strides)

    def time_backward(self, layer):
        self._backward()

    def _backward(self):
        return ops.max_pool2d_backward(
            self.dy, self.argmax, self.x.shape, pool_size=self.size, strides=self.strides
        )
