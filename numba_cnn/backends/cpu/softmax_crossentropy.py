"""Softmax, its cross-entropy and its accuracy on the CPU: each worker owns whole rows."""

import numpy as np

from numba_cnn.backends.cpu.compiler import inline, kernel, unpack
from numba_cnn.backends.cpu.memory import empty
from numba_cnn.backends.cpu.threads import workers_for


def softmax(x, y):
    _softmax(workers_for(16 * x.size), x, y)


def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    weights = np.ones(len(labels), logits.dtype) if sample_weight is None else sample_weight
    losses = empty(labels.shape, logits.dtype)
    _crossentropy(workers_for(16 * logits.size), logits, labels, weights, losses, dlogits)
    loss[...] = losses.sum() / len(labels)


def sparse_categorical_accuracy(logits, labels, accuracy):
    accuracy[...] = (logits.argmax(-1) == labels).mean()


@kernel
def _softmax(w, workers, packed):
    x, y = unpack(packed)
    N, _ = x.shape
    for n in range(w * N // workers, (w + 1) * N // workers):
        _softmax_row(x, n, y)


@kernel
def _crossentropy(w, workers, packed):
    logits, labels, weights, losses, dlogits = unpack(packed)
    N, classes = logits.shape
    one = logits.dtype.type(1)
    count = logits.dtype.type(N)
    for n in range(w * N // workers, (w + 1) * N // workers):
        label, weight = labels[n], weights[n]
        largest, total = _softmax_row(logits, n, dlogits)
        losses[n] = weight * (np.log(total) - (logits[n, label] - largest))
        dlogits[n, label] -= one
        for c in range(classes):
            dlogits[n, c] *= weight / count


@inline
def _softmax_row(x, n, y):
    """Row n of y = softmax(x); returns the largest x and the sum of exp(x - largest)."""
    classes = x.shape[1]
    largest = x[n, 0]
    for c in range(1, classes):
        if not x[n, c] <= largest:  # NaN goes through
            largest = x[n, c]
    total = x.dtype.type(0)
    for c in range(classes):
        y[n, c] = np.exp(x[n, c] - largest)
        total += y[n, c]
    for c in range(classes):
        y[n, c] /= total
    return largest, total
