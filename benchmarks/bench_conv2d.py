"""conv2d, forward and backward."""

from . import workloads


class Conv2D:
    params = (list(workloads.CONV2D), [8])
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
    """How many times faster Winograd's algorithm is than the direct one, and the share of the FMA peak."""

    params = (["tutorial conv2d_1", "tutorial conv2d_2", "ResNet-50 3x3 28x28x128"],)
    param_names = ("layer",)
    timeout = 300
    unit = "ratio"

    def setup(self, layer):
        from . import fma_peak

        self.direct = workloads.Conv2D(layer, 8, "direct")
        self.winograd = workloads.Conv2D(layer, 8, "winograd")
        self.peak = fma_peak

    def track_winograd_over_direct(self, layer):
        return self.peak.median_ratio(self.direct.forward, self.winograd.forward)

    def track_share_of_fma_peak(self, layer):
        return self.peak.share(self.direct.forward, self.direct.flop)
