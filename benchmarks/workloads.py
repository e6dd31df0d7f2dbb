"""The shapes that benchmarks run on, named after the networks they come from, and arrays to fill them."""

import numpy as np

from numba_cnn import shapes
from numba_cnn.backends import cpu, reference

# name: (H, W, C), (KH, KW), F, strides, padding
CONV2D = {
    "tutorial conv2d": ((64, 64, 3), (3, 3), 32, 1, "valid"),
    "tutorial conv2d_1": ((31, 31, 32), (3, 3), 64, 1, "valid"),
    "tutorial conv2d_2": ((14, 14, 64), (3, 3), 64, 1, "valid"),
    "LeNet conv2d_1": ((14, 14, 6), (5, 5), 16, 1, "valid"),
    "ResNet-50 3x3 56x56x64": ((56, 56, 64), (3, 3), 64, 1, "same"),
    "ResNet-50 3x3 28x28x128": ((28, 28, 128), (3, 3), 128, 1, "same"),
    "ResNet-50 3x3 14x14x256": ((14, 14, 256), (3, 3), 256, 1, "same"),
    "ResNet-50 3x3 7x7x512": ((7, 7, 512), (3, 3), 512, 1, "same"),
    "ResNet-50 1x1 56x56x64": ((56, 56, 64), (1, 1), 256, 1, "valid"),
    "ResNet-50 1x1 56x56x256": ((56, 56, 256), (1, 1), 64, 1, "valid"),
    "ResNet-50 1x1 14x14x1024": ((14, 14, 1024), (1, 1), 256, 1, "valid"),
    "ResNet-50 3x3/2 56x56x128": ((56, 56, 128), (3, 3), 128, 2, "same"),
}
POOL = {
    "tutorial max_pooling2d": ((62, 62, 32), 2, None),
    "tutorial max_pooling2d_1": ((29, 29, 64), 2, None),
    "ResNet-50 3x3/2": ((112, 112, 64), 3, 2),
}
DENSE = {"tutorial dense": (9216, 64), "tutorial dense_1": (64, 10), "LeNet dense": (400, 120)}

_rng = np.random.default_rng(0)


def array(*shape):
    """Normal float32 numbers in the library's own memory."""
    filled = cpu.empty(shape, np.float32)
    filled[...] = _rng.standard_normal(shape, dtype=np.float32)
    return filled


class Conv2D:
    """One convolution with its arrays: forward(), backward_input(), backward_weight(), all proven right when made.

    layer    a name of CONV2D, or a row like those there
    """

    def __init__(self, layer, batch, algorithm="auto"):
        row = CONV2D[layer] if isinstance(layer, str) else layer
        extent, kernel, F, strides, padding = row
        self.g = g = shapes.conv2d((batch, *extent), (*kernel, extent[2], F), strides, padding)
        self.algorithm = algorithm
        self.flop = 2 * batch * g.OH * g.OW * F * g.KH * g.KW * g.C
        self.x, self.weight, self.bias, self.dy = (array(*s) for s in (g.x, g.weight, (F,), g.y))
        self.y, self.dx, self.dweight, self.dbias = (array(*s) for s in (g.y, g.x, g.weight, (F,)))
        self._prove()

    def forward(self):
        cpu.conv2d(self.x, self.weight, self.bias, self.g, True, self.algorithm, self.y)

    def backward_input(self):
        cpu.conv2d_backward_input(self.dy, self.y, self.weight, self.g, self.algorithm, self.dx)

    def backward_weight(self):
        cpu.conv2d_backward_weight(
            self.dy, self.y, self.x, self.g, self.algorithm, self.dweight, self.dbias
        )

    def _prove(self):
        """All passes against the float64 reference, on the first images of the batch and all of it for the sums."""
        self.forward()
        self.backward_input()
        self.backward_weight()
        few = self.g._replace(N=1)
        x, weight, bias, dy = (
            a.astype(np.float64) for a in (self.x, self.weight, self.bias, self.dy)
        )
        y, dx = np.empty(few.y), np.empty(few.x)
        reference.conv2d(x[:1], weight, bias, few, True, "auto", y)
        reference.conv2d_backward_input(dy[:1], self.y[:1], weight, few, "auto", dx)
        dweight, dbias = np.zeros(self.g.weight), np.zeros(self.g.F)
        for n in range(self.g.N):
            one, more = np.empty(self.g.weight), np.empty(self.g.F)
            part = slice(n, n + 1)
            reference.conv2d_backward_weight(
                dy[part], self.y[part], x[part], few, "auto", one, more
            )
            dweight += one
            dbias += more
        for actual, expected in (
            (self.y[:1], y),
            (self.dx[:1], dx),
            (self.dweight, dweight),
            (self.dbias, dbias),
        ):
            error = np.abs(actual - expected).max() / np.abs(expected).max()
            if not error < 1e-4:
                raise AssertionError(f"wrong result: relative error {error:.1e}")
