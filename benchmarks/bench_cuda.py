"""The CUDA backend on a GPU; every benchmark skips where there is none, and the simulator is never
timed.
"""

import numpy as np

from numba_cnn import backends

from . import layers, tutorial, workloads


def gpu():
    """The CUDA backend, or asv's sign to skip."""
    backend = backends.get("auto")  # a GPU where there is one
    if backend.NAME != "cuda":
        raise NotImplementedError("no GPU")
    return backend


class Conv2D:
    params = (list(layers.CONV2D), [32])
    param_names = ("layer", "batch")
    timeout = 300
    rounds = 1

    def setup(self, layer, batch):
        self.cuda = cuda = gpu()
        case = workloads.Conv2D(layer, batch)
        self.g = case.g
        names = ("x", "weight", "bias", "dy", "y", "dx", "dweight", "dbias")
        host = {name: getattr(case, name) for name in names}
        self.arrays = {name: cuda.asarray(array) for name, array in host.items()}
        for run, results in (
            (self.time_forward, ("y",)),
            (self.time_backward_input, ("dx",)),
            (self.time_backward_weight, ("dweight", "dbias")),
        ):
            run(layer, batch)
            for name in results:
                error = np.abs(cuda.to_numpy(self.arrays[name]) - host[name]).max()
                assert error < 1e-4 * np.abs(host[name]).max(), f"{name} is wrong by {error}"

    def time_forward(self, layer, batch):
        a = self.arrays
        self.cuda.conv2d(a["x"], a["weight"], a["bias"], self.g, True, "auto", a["y"])
        self.cuda.synchronize()

    def time_backward_input(self, layer, batch):
        a = self.arrays
        self.cuda.conv2d_backward_input(a["dy"], a["y"], a["weight"], self.g, "auto", a["dx"])
        self.cuda.synchronize()

    def time_backward_weight(self, layer, batch):
        a = self.arrays
        self.cuda.conv2d_backward_weight(
            a["dy"], a["y"], a["x"], self.g, "auto", a["dweight"], a["dbias"]
        )
        self.cuda.synchronize()


class TrainStep:
    params = ([32, 256],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1

    def setup(self, batch):
        gpu()
        self.model = tutorial.model()
        self.x, self.y = tutorial.batch(4 * batch)
        first = self.model.fit(self.x, self.y, batch, epochs=1, verbose=0).history["loss"][0]
        last = self.model.fit(self.x, self.y, batch, epochs=8, verbose=0).history["loss"][-1]
        assert last < first, "training does not lower the loss"

    def time_four_steps(self, batch):
        self.model.fit(self.x, self.y, batch_size=batch, epochs=1, verbose=0)
