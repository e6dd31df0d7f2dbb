"""ReLU on the activations of the tutorial's first layer."""

import numpy as np

from numba_cnn import ops

from . import workloads


class ReLU:
    timeout = 300

    def setup(self):
        self.x = workloads.array(8, 62, 62, 32)
        self.y = ops.relu(self.x)
        self.dy = workloads.array(8, 62, 62, 32)
        np.testing.assert_array_equal(self.y, np.maximum(self.x, 0))
        np.testing.assert_array_equal(ops.relu_backward(self.dy, self.y), self.dy * (self.x > 0))

    def time_forward(self):
        ops.relu(self.x)

    def time_backward(self):
        ops.relu_backward(self.dy, self.y)
