"""Pooling to a size, forward and backward."""

import numpy as np

from numba_cnn import ops

from . import workloads


class AdaptivePool2D:
    params = ((1, 7, 12),)
    param_names = ("output_size",)
    timeout = 300

    def setup(self, output_size):
        self.x = workloads.array(8, 56, 56, 64)
        y, self.argmax = ops.adaptive_max_pool2d(self.x, output_size)
        self.dy = workloads.array(*y.shape)
        end = -(-56 // output_size)
        corner = self.x[0, :end, :end]
        np.testing.assert_array_equal(y[0, 0, 0], corner.max((0, 1)))
        average = ops.adaptive_average_pool2d(self.x, output_size)
        np.testing.assert_allclose(average[0, 0, 0], corner.mean((0, 1)), rtol=1e-4, atol=1e-5)

    def time_average(self, output_size):
        ops.adaptive_average_pool2d(self.x, output_size)

    def time_average_backward(self, output_size):
        ops.adaptive_average_pool2d_backward(self.dy, self.x.shape, output_size)

    def time_max(self, output_size):
        ops.adaptive_max_pool2d(self.x, output_size)

    def time_max_backward(self, output_size):
        ops.adaptive_max_pool2d_backward(self.dy, self.argmax, self.x.shape, output_size)
