"""conv2d, forward and backward."""

from numba_cnn.backends import cpu

from . import fma_peak, layers, workloads


class Conv2D:
    params = (list(layers.CONV2D), [8])
    param_names = ("layer", "batch")
    timeout = 300
    rounds = 1

    def setup(self, layer, batch):
        self.case = workloads.Conv2D(layer, batch)

    def time_forward(self, layer, batch):
        self.case.forward()

    def time_backward_input(self, layer, batch):
        self.case.backward_input()

    def time_backward_weight(self, layer, batch):
        self.case.backward_weight()


class Algorithms:
    """On one thread: how many times longer the direct algorithm takes, and the share of the FMA peak of "auto"."""

    params = (
        ["tutorial conv2d_1", "tutorial conv2d_2", "ResNet-50 3x3 28x28x128"],
        ["forward", "backward_input", "backward_weight"],
    )
    param_names = ("layer", "run")
    timeout = 300
    unit = "ratio"

    def setup(self, layer, run):
        cpu.set_num_threads(1)
        self.cases = {
            algorithm: workloads.Conv2D(layer, 8, algorithm)
            for algorithm in ("direct", "winograd", "auto")
        }

    def track_winograd_over_direct(self, layer, run):
        direct, winograd = self.cases["direct"], self.cases["winograd"]
        return fma_peak.median_ratio(getattr(direct, run), getattr(winograd, run))

    def track_share_of_fma_peak(self, layer, run):
        auto = self.cases["auto"]
        return fma_peak.share(getattr(auto, run), auto.flop)
