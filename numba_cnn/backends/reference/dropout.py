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
    words = _words(shape, generator, used).reshape(shape)
    dx[...] = np.where(words >= philox.threshold(rate), dy / (1 - rate), 0)


def gaussian_noise(x, stddev, generator, used, y):
    """x and normal numbers of that standard deviation."""
    _draw(generator, used)
    first = _place(x.shape, generator)
    count = -(-(first % 4 + x.size) // 4)
    words = _blocks(first // 4, count, generator, used)
    a, b, c, d = (philox.uniform(word) / 2**24 for word in words.T)
    pairs = []
    for one, other in ((a, b), (c, d)):
        length = np.sqrt(-2 * np.log(one + 2**-24))
        pairs += [length * np.cos(2 * np.pi * other), length * np.sin(2 * np.pi * other)]
    z = np.stack(pairs, -1).reshape(-1)[first % 4 :][: x.size]
    y[...] = x + stddev * z.reshape(x.shape)


def _draw(generator, used):
    used[0] = generator[1]
    generator[1] += 1


def _place(shape, generator):
    """The place in the whole batch of the first element of samples of that shape (N, ...)."""
    first = generator[2] if len(generator) > 2 else 0
    return int(first) * int(np.prod(shape[1:]))


def _words(shape, generator, used):
    """The words of the elements of samples of that shape (N, ...), flat."""
    first, count = _place(shape, generator), int(np.prod(shape))
    blocks = -(-(first + count) // philox.WORDS) - first // philox.WORDS
    words = _blocks(first // philox.WORDS, blocks, generator, used).reshape(-1)
    return words[first % philox.WORDS :][:count]


def _blocks(first, count, generator, used):
    """(count, 4): the words of so many blocks from one on."""
    blocks = (first + np.arange(count)).astype(np.uint64)
    seed, counter = generator[:1].astype(np.uint64), used.astype(np.uint64)
    return np.stack(philox.block(blocks, counter, seed), -1)
