"""The tutorial's model as numbers: its weights, a batch for it, and the operations of a step."""

import math

import numpy as np

# Of each convolution and dense layer: the shape of its weights, and the pixels they are applied to.
LAYERS = [
    ((3, 3, 3, 32), 62 * 62),
    ((3, 3, 32, 64), 29 * 29),
    ((3, 3, 64, 64), 12 * 12),
    ((12 * 12 * 64, 64), 1),
    ((64, 10), 1),
]


def weights():
    """Glorot-uniform weights and zero biases in Keras's order and layout, of a fixed seed."""
    rng = np.random.default_rng(1)
    arrays = []
    for shape, _ in LAYERS:
        limit = (6 / (math.prod(shape[:-1]) + math.prod(shape[:-2]) * shape[-1])) ** 0.5
        arrays.append(rng.uniform(-limit, limit, shape).astype(np.float32))
        arrays.append(np.zeros(shape[-1], np.float32))
    return arrays


def channels_first(weight):
    """A weight for images (N, C, H, W), and for rows made of them: (F, C, KH, KW), or still (K, F)."""
    if weight.ndim == 4:
        weight = weight.transpose(3, 2, 0, 1)
    elif len(weight) == 9216:
        weight = weight.reshape(12, 12, 64, 64).transpose(2, 0, 1, 3).reshape(9216, 64)
    return np.ascontiguousarray(weight)


def batch(size):
    """(images, labels) of that many samples; a smaller batch is the start of a larger one."""
    labels = np.random.default_rng(0).integers(0, 10, size)
    return np.random.default_rng(1).random((size, 64, 64, 3), dtype=np.float32), labels


def flop_of_train_step(size):
    """Two per multiplication and addition of the direct sums: forward, and both gradients of
    each layer but the first, whose input needs none."""
    forward = [2 * size * pixels * math.prod(shape) for shape, pixels in LAYERS]
    return 3 * sum(forward) - forward[0]
