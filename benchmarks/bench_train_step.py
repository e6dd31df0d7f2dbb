"""The tutorial's model: training, inference, memory."""

import numpy as np

from . import tutorial


class TrainStep:
    params = ([32],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1

    def setup(self, batch):
        self.model = tutorial.model()
        self.x, self.y = tutorial.batch(4 * batch)
        first = self.model.fit(self.x, self.y, batch, epochs=1, verbose=0).history["loss"][0]
        last = self.model.fit(self.x, self.y, batch, epochs=8, verbose=0).history["loss"][-1]
        assert last < first, "training does not lower the loss"

    def time_four_steps(self, batch):
        self.model.fit(self.x, self.y, batch_size=batch, epochs=1, verbose=0)

    def peakmem_four_steps(self, batch):
        self.model.fit(self.x, self.y, batch_size=batch, epochs=1, verbose=0)


class Inference:
    params = ([1, 32],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1

    def setup(self, batch):
        self.model = tutorial.model()
        self.x, _ = tutorial.batch(batch)
        probabilities = self.model.predict(self.x, verbose=0)
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)

    def time_predict(self, batch):
        self.model.predict(self.x, verbose=0)
