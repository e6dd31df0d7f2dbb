"""Softmax with cross-entropy on the logits."""

import numpy as np

from numba_cnn import ops

from . import workloads


class Crossentropy:
    params = ([32, 1024],)
    param_names = ("batch",)
    timeout = 300

    def setup(self, batch):
        self.logits = workloads.array(batch, 10)
        self.labels = np.arange(batch) % 10
        _, dlogits = ops.sparse_categorical_crossentropy(self.logits, self.labels)
        np.testing.assert_allclose(dlogits.sum(1), 0, atol=1e-6)

    def time_loss_and_gradient(self, batch):
        ops.sparse_categorical_crossentropy(self.logits, self.labels)

    def time_softmax(self, batch):
        ops.softmax(self.logits)
