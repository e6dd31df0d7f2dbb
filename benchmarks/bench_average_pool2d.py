"""Average pooling, forward and backward."""

import numpy as np

from numba_cnn import ops

from . import layers, workloads


class AveragePool2D:
    params = (list(layers.POOL),)
    param_names = ("layer",)
    timeout = 300

    def setup(self, layer):
        extent, size, strides = layers.POOL[layer]
        self.windows = {"pool_size": size, "strides": strides}
        self.x = workloads.array(8, *extent)
        y = ops.average_pool2d(self.x, **self.windows)
        self.dy = workloads.array(*y.shape)
        np.testing.assert_allclose(y[0, 0, 0], self._corner().mean((0, 1)), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(self._backward().sum(), self.dy.sum(), rtol=1e-2, atol=1)

    def time_forward(self, layer):
        ops.average_pool2d(self.x, **self.windows)

    def time_backward(self, layer):
        self._backward()

    def _backward(self):
        return ops.average_pool2d_backward(self.dy, self.x.shape, **self.windows)

    def _corner(self):
        """The pixels of the first window."""
        size = self.windows["pool_size"]
        PH, PW = (size, size) if isinstance(size, int) else size
        return self.x[0, :PH, :PW]
