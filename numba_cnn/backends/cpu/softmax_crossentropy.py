"""Softmax, its cross-entropy and its accuracy on the CPU: each share is whole rows."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def softmax(x, y):
    _softmax(threads_for(16 * x.size), x, y)


@checked
def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    weights = constant(1, 0, logits.dtype) if sample_weight is None else sample_weight
    losses = empty(labels.shape, logits.dtype)
    _crossentropy(threads_for(16 * logits.size), logits, labels, weights, losses, dlogits)
    _mean(1, losses, loss.reshape(1))


@checked
def sparse_categorical_accuracy(logits, labels, accuracy):
    right = empty(labels.shape, logits.dtype)
    _right(threads_for(logits.size), logits, labels, right)
    _mean(1, right, accuracy.reshape(1))


@kernel
def _softmax(share, shares, thread, packed):
    x, y = unpack(packed)
    N, _ = x.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        _softmax_row(x, n, y)


@kernel
def _crossentropy(share, shares, thread, packed):
    """Each sample's loss and gradient; no weights stand for ones."""
    logits, labels, weights, losses, dlogits = unpack(packed)
    N, classes = logits.shape
    one = logits.dtype.type(1)
    count = logits.dtype.type(N)
    for n in range(share * N // shares, (share + 1) * N // shares):
        label, weight = labels[n], weights[n] if weights.size > 0 else one
        largest, total = _softmax_row(logits, n, dlogits)
        losses[n] = weight * (np.log(total) - (logits[n, label] - largest))
        dlogits[n, label] -= one
        for c in range(classes):
            dlogits[n, c] *= weight / count


@kernel
def _right(share, shares, thread, packed):
    """1 for each sample whose first largest logit is that of its label, else 0; a NaN counts as the largest."""
    logits, labels, right = unpack(packed)
    N, classes = logits.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        best = 0
        for c in range(1, classes):
            if not logits[n, c] <= logits[n, best] and logits[n, best] == logits[n, best]:
                best = c
        right[n] = best == labels[n]


@kernel
def _mean(share, shares, thread, packed):
    """The mean, summed in float64 by one worker from first to last."""
    values, mean = unpack(packed)
    total = np.float64(0)
    for value in values:
        total += value
    mean[0] = total / values.size


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
