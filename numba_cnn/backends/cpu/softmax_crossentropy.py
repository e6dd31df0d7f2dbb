"""Softmax, its logarithm, its cross-entropy and its accuracy on the CPU: each share is whole rows."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.codegen.elementary import exp
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def softmax(x, y):
    _softmax(threads_for(16 * x.size), x, y)


@checked
def softmax_backward(dy, y, dx):
    _softmax_backward(threads_for(4 * y.size), dy, y, dx)


@checked
def log_softmax(x, y):
    _log_softmax(threads_for(16 * x.size), x, y)


@checked
def log_softmax_backward(dy, y, dx):
    _log_softmax_backward(threads_for(16 * y.size), dy, y, dx)


@checked
def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    weights = constant(1, 0, logits.dtype) if sample_weight is None else sample_weight
    losses = empty(labels.shape, logits.dtype)
    _crossentropy(threads_for(16 * logits.size), logits, labels, weights, losses, dlogits)
    mean(1, losses, loss.reshape(1))


@checked
def sparse_categorical_accuracy(logits, labels, accuracy):
    right = empty(labels.shape, logits.dtype)
    _right(threads_for(logits.size), logits, labels, right)
    mean(1, right, accuracy.reshape(1))


@kernel
def _softmax(share, shares, thread, packed):
    x, y = unpack(packed)
    N, _ = x.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        softmax_row(x[n], y[n])


@kernel
def _softmax_backward(share, shares, thread, packed):
    dy, y, dx = unpack(packed)
    N, C = y.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        total = y.dtype.type(0)
        for c in range(C):
            total += dy[n, c] * y[n, c]
        for c in range(C):
            dx[n, c] = y[n, c] * (dy[n, c] - total)


@kernel
def _log_softmax(share, shares, thread, packed):
    x, y = unpack(packed)
    N, C = x.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        largest, total = softmax_row(x[n], y[n])
        total = np.log(total)
        for c in range(C):
            y[n, c] = (x[n, c] - largest) - total


@kernel
def _log_softmax_backward(share, shares, thread, packed):
    dy, y, dx = unpack(packed)
    N, C = y.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        total = y.dtype.type(0)
        for c in range(C):
            total += dy[n, c]
        run, gradient, log = dx[n], dy[n], y[n]
        for c in range(C):
            run[c] = gradient[c] - exp(log[c]) * total


@kernel
def _crossentropy(share, shares, thread, packed):
    """Each sample's loss and gradient; no weights stand for ones."""
    logits, labels, weights, losses, dlogits = unpack(packed)
    N, classes = logits.shape
    one = logits.dtype.type(1)
    count = logits.dtype.type(N)
    for n in range(share * N // shares, (share + 1) * N // shares):
        label, weight = labels[n], weights[n] if weights.size > 0 else one
        largest, total = softmax_row(logits[n], dlogits[n])
        losses[n] = weight * (np.log(total) - (logits[n, label] - largest))
        dlogits[n, label] -= one
        for c in range(classes):
            dlogits[n, c] *= weight / count


@kernel
def _right(share, shares, thread, packed):
    """1 for each sample whose first largest logit is that of its label, else 0; a NaN counts as the largest."""
    logits, labels, right = unpack(packed)
    N = len(logits)
    for n in range(share * N // shares, (share + 1) * N // shares):
        right[n] = first_largest(logits[n]) == labels[n]


@kernel
def mean(share, shares, thread, packed):
    """The mean, summed in float64 by one worker from first to last."""
    values, out = unpack(packed)
    total = np.float64(0)
    for value in values:
        total += value
    out[0] = total / values.size


@inline
def softmax_row(x, y):
    """y = softmax(x) of a row; returns the largest x and the sum of exp(x - largest)."""
    largest = x[0]
    for c in range(1, x.size):
        if not x[c] <= largest:  # NaN goes through
            largest = x[c]
    for c in range(x.size):
        y[c] = exp(x[c] - largest)
    total = x.dtype.type(0)
    for c in range(x.size):
        total += y[c]
    for c in range(x.size):
        y[c] /= total
    return largest, total


@inline
def first_largest(x):
    """The place of the first largest number of a row; a NaN counts as the largest."""
    best = 0
    for c in range(1, x.size):
        if not x[c] <= x[best] and x[best] == x[best]:
            best = c
    return best
