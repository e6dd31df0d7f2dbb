"""This library, from the working tree."""

import numba
import numpy as np

import numba_cnn
from benchmarks import tutorial
from benchmarks.peers.catalogue import Convolution, Model
from numba_cnn import shapes
from numba_cnn.backends import cpu


def build(name, weights, threads):
    model = tutorial.model()
    model.set_weights(weights)

    def train(x, labels):
        model.reset_metrics()
        model.train_step(x, labels)
        return model.read_metrics()["loss"]

    return Model(numba_cnn.__version__, model.backend.asarray, model, train)


def convolution(x, weight, bias, dy, stride, padding, groups, threads):
    numba.set_num_threads(threads)
    g = shapes.conv2d(x.shape, weight.shape, stride, padding, groups=groups)
    x, weight, bias, dy = map(_copied, (x, weight, bias, dy))
    y, dx, dweight, dbias = (cpu.empty(shape, np.float32) for shape in (g.y, g.x, g.weight, (g.F,)))

    def forward():
        cpu.conv2d(x, weight, bias, g, False, "auto", y)
        return y

    def backward_input():
        cpu.conv2d_backward_input(dy, None, weight, g, "auto", dx)
        return dx

    def backward_weight():
        cpu.conv2d_backward_weight(dy, None, x, g, "auto", dweight, dbias)
        return dweight

    return Convolution(numba_cnn.__version__, forward, backward_input, backward_weight, np.array)


def _copied(array):
    """In the library's own memory, as a model's activations are."""
    copy = cpu.empty(array.shape, array.dtype)
    copy[...] = array
    return copy
