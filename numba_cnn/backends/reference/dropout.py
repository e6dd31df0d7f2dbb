"""Dropout and noise, of words by counters."""

import numpy as np

from numba_cnn.backends import philox


def dropout(x, rate, spatial, generator, used, y):
    """x / (1 - rate) where the element's word, or its channel's, is large enough, else 0."""
    _draw(generator, used)
    dropout_backward(x, rate, spatial, generator, used, y)


def dropout_backward(dy, rate, spatial, generator, used, dx):
    """The same of the gradient, with the words that the forward pass used."""
    N, _, C = dy.shape
    shape = (N, 1, C) if spatial else dy.shape
    words = _words(np.prod(shape), generator, used).reshape(-1)[: np.prod(shape)].reshape(shape)
    dx[...] = np.where(words >= philox.threshold(rate), dy / (1 - rate), 0)


def gaussian_noise(x, stddev, generator, used, y):
    """x and normal numbers of that standard deviation."""
    _draw(generator, used)
    a, b, c, d = (philox.uniform(word) / 2**24 for word in _words(x.size, generator, used).T)
    pairs = []
    for first, second in ((a, b), (c, d)):
        length = np.sqrt(-2 * np.log(first + 2**-24))
        pairs += [length * np.cos(2 * np.pi * second), length * np.sin(2 * np.pi * second)]
    y[...] = x + stddev * np.stack(pairs, -1).reshape(-1)[: x.size].reshape(x.shape)


def _draw(generator, used):
    used[0] = generator[1]
    generator[1] += 1


def _words(count, generator, used):
    """(blocks, 4): the words of at least `count` elements."""
    blocks = np.arange(-(-count // philox.WORDS)).astype(np.uint64)
    seed, counter = generator[:1].astype(np.uint64), used.astype(np.uint64)
    return np.stack(philox.block(blocks, counter, seed), -1)
