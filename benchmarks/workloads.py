"""Arrays for the layers that benchmarks run on, and convolutions that are proven right before they are timed."""

import time

import numpy as np

from numba_cnn import shapes
from numba_cnn.backends import cpu, reference

from .layers import CONV2D, Convolution

# Seconds. For a tenth of one, the threads of NumPy's BLAS look for work on the cores before they sleep.
REST = 0.2
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
        row = CONV2D[layer] if isinstance(layer, str) else Convolution(*layer)
        weight = *row.kernel, row.image[2] // row.groups, row.filters
        self.g = g = shapes.conv2d(
            (batch, *row.image), weight, row.strides, row.padding, groups=row.groups
        )
        self.algorithm = algorithm
        self.flop = 2 * batch * g.OH * g.OW * g.F * g.KH * g.KW * g.C // g.groups
        self.x, self.weight, self.bias, self.dy = (array(*s) for s in (g.x, g.weight, (g.F,), g.y))
        self.y, self.dx, self.dweight, self.dbias = (
            array(*s) for s in (g.y, g.x, g.weight, (g.F,))
        )
        self._prove()
        time.sleep(REST)

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
        _prove_alike(
            (self.y[:1], y), (self.dx[:1], dx), (self.dweight, dweight), (self.dbias, dbias)
        )


class PooledConv2D:
    """A convolution and the 2x2 max pooling above it in one pass, as models run them: forward(), backward_weight() and
    backward(), which also gives the input gradient; all proven right when made."""

    def __init__(self, layer, batch):
        row = CONV2D[layer]
        weight = *row.kernel, row.image[2], row.filters
        whole = shapes.conv2d((batch, *row.image), weight, row.strides, row.padding)
        self.g, pool = shapes.pooled(whole)
        self.x, self.weight, self.bias = (array(*s) for s in (self.g.x, weight, (self.g.F,)))
        self.y, self.dy = array(*pool.y), array(*pool.y)
        self.argmax = cpu.empty(pool.y, np.uint8)
        self.dx, self.dweight, self.dbias = (array(*s) for s in (self.g.x, weight, (self.g.F,)))
        self._prove()
        time.sleep(REST)

    def forward(self):
        cpu.conv2d_max_pool2d(
            self.x, self.weight, self.bias, self.g, True, "auto", self.y, self.argmax
        )

    def backward_weight(self):
        self._backward(None)

    def backward(self):
        self._backward(self.dx)

    def _backward(self, dx):
        cpu.conv2d_max_pool2d_backward(
            self.dy, self.y, self.argmax, self.x, self.weight, self.g, "auto", dx, self.dweight,
            self.dbias,
        )  # fmt: skip

    def _prove(self):
        """Against the float64 reference: output and input gradient of the first image, the sums over all of them."""
        self.forward()
        self.backward_weight()
        dweight, dbias = self.dweight.copy(), self.dbias.copy()
        self.backward()
        few = self.g._replace(N=1)
        x, weight, bias, dy = (
            a.astype(np.float64) for a in (self.x, self.weight, self.bias, self.dy)
        )
        y, argmax = np.empty(self.y[:1].shape), np.empty(self.y[:1].shape, np.uint8)
        reference.conv2d_max_pool2d(x[:1], weight, bias, few, True, "auto", y, argmax)
        dx, dweights, dbiases = np.empty(few.x), 0.0, 0.0
        for n in reversed(range(self.g.N)):  # the first image's dx is the last
            one, more, part = np.empty(self.g.weight), np.empty(self.g.F), slice(n, n + 1)
            reference.conv2d_max_pool2d_backward(
                dy[part], self.y[part], self.argmax[part], x[part], weight, few, "auto", dx, one, more
            )  # fmt: skip
            dweights, dbiases = dweights + one, dbiases + more
        _prove_alike(
            (self.y[:1], y), (self.dx[:1], dx), (self.dweight, dweights), (self.dbias, dbiases),
            (dweight, dweights), (dbias, dbiases),
        )  # fmt: skip


def _prove_alike(*pairs):
    for actual, expected in pairs:
        error = np.abs(actual - expected).max() / np.abs(expected).max()
        if not error < 1e-4:
            raise AssertionError(f"wrong result: relative error {error:.1e}")
