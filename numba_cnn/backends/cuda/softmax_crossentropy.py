"""Softmax, its logarithm, cross-entropy and accuracy: a block owns a row, its threads share the classes and add up
by a fixed tree.
"""

import math
from functools import lru_cache

import numba
import numpy as np
from numba import int32

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import ROW_THREADS, launch, launch_each
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit


@checked
def softmax(x, y):
    launch(softmax_kernel(x.dtype), x.shape[0], ROW_THREADS, x, y)


@checked
def softmax_backward(dy, y, dx):
    launch(softmax_backward_kernel(y.dtype), y.shape[0], ROW_THREADS, dy, y, dx)


@checked
def log_softmax(x, y):
    launch(log_softmax_kernel(x.dtype), x.shape[0], ROW_THREADS, x, y)


@checked
def log_softmax_backward(dy, y, dx):
    launch(log_softmax_backward_kernel(y.dtype), y.shape[0], ROW_THREADS, dy, y, dx)


@checked
def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    N, dtype = logits.shape[0], logits.dtype
    losses = empty((N,), dtype)
    weights = losses if sample_weight is None else sample_weight
    kernel = crossentropy_kernel(dtype, sample_weight is not None)
    launch(kernel, N, ROW_THREADS, logits, labels, weights, dtype.type(N), losses, dlogits)
    launch(mean_kernel(dtype), 1, ROW_THREADS, losses, dtype.type(N), loss)


@checked
def sparse_categorical_accuracy(logits, labels, accuracy):
    N, dtype = logits.shape[0], logits.dtype
    hits = empty((N,), dtype)
    launch_each(hits_kernel, N, logits, labels, hits)
    launch(mean_kernel(dtype), 1, ROW_THREADS, hits, dtype.type(N), accuracy)


@device
def _larger(a, b):
    return a if a > b else b


@device
def _sum(a, b):
    return a + b


def _tree(combine):
    """all_of(values, t): values of all threads of a block combined, the same pairs in every run."""

    @device
    def all_of(values, t):
        cuda.syncthreads()
        half = ROW_THREADS // 2
        while half > 0:
            if t < half:
                values[t] = combine(values[t], values[t + half])
            cuda.syncthreads()
            half //= 2
        result = values[0]
        cuda.syncthreads()
        return result

    return all_of


largest_of, sum_of = _tree(_larger), _tree(_sum)


@lru_cache
def row_of(dtype):
    """row(x, n, t, values): the largest of row n, and the sum of the exponentials of its distances
    from it.
    """
    lowest, zero = dtype.type(-np.inf), dtype.type(0)

    @device
    def row(x, n, t, values):
        largest = lowest
        for c in range(t, x.shape[1], ROW_THREADS):
            largest = _larger(x[n, c], largest)
        values[t] = largest
        largest = largest_of(values, t)
        total = zero
        for c in range(t, x.shape[1], ROW_THREADS):
            total += math.exp(x[n, c] - largest)
        values[t] = total
        return largest, sum_of(values, t)

    return row


@lru_cache
def softmax_kernel(dtype):
    kind, row = getattr(numba, dtype.name), row_of(dtype)

    @jit
    def softmax_kernel(x, y):
        values = cuda.shared.array(ROW_THREADS, kind)
        n, t = cuda.blockIdx.x, cuda.threadIdx.x
        largest, total = row(x, n, t, values)
        for c in range(t, x.shape[1], ROW_THREADS):
            y[n, c] = math.exp(x[n, c] - largest) / total

    return softmax_kernel


@lru_cache
def softmax_backward_kernel(dtype):
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def softmax_backward_kernel(dy, y, dx):
        values = cuda.shared.array(ROW_THREADS, kind)
        n, t = cuda.blockIdx.x, cuda.threadIdx.x
        total = zero
        for c in range(t, y.shape[1], ROW_THREADS):
            total += dy[n, c] * y[n, c]
        values[t] = total
        total = sum_of(values, t)
        for c in range(t, y.shape[1], ROW_THREADS):
            dx[n, c] = y[n, c] * (dy[n, c] - total)

    return softmax_backward_kernel


@lru_cache
def log_softmax_kernel(dtype):
    kind, row = getattr(numba, dtype.name), row_of(dtype)

    @jit
    def log_softmax_kernel(x, y):
        values = cuda.shared.array(ROW_THREADS, kind)
        n, t = cuda.blockIdx.x, cuda.threadIdx.x
        largest, total = row(x, n, t, values)
        for c in range(t, x.shape[1], ROW_THREADS):
            y[n, c] = (x[n, c] - largest) - math.log(total)

    return log_softmax_kernel


@lru_cache
def log_softmax_backward_kernel(dtype):
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def log_softmax_backward_kernel(dy, y, dx):
        values = cuda.shared.array(ROW_THREADS, kind)
        n, t = cuda.blockIdx.x, cuda.threadIdx.x
        total = zero
        for c in range(t, y.shape[1], ROW_THREADS):
            total += dy[n, c]
        values[t] = total
        total = sum_of(values, t)
        for c in range(t, y.shape[1], ROW_THREADS):
            dx[n, c] = dy[n, c] - math.exp(y[n, c]) * total

    return log_softmax_backward_kernel


@lru_cache
def crossentropy_kernel(dtype, weighted):
    """The loss of each row and its gradient; a label that is no class makes its row NaN, and reads
    nothing.
    """
    kind, row, one, nan = (
        getattr(numba, dtype.name),
        row_of(dtype),
        dtype.type(1),
        dtype.type(np.nan),
    )

    @jit
    def crossentropy_kernel(logits, labels, weights, N, losses, dlogits):
        values = cuda.shared.array(ROW_THREADS, kind)
        n, t = cuda.blockIdx.x, cuda.threadIdx.x
        largest, total = row(logits, n, t, values)
        label = int32(labels[n])
        known = label >= 0 and label < logits.shape[1]
        weight = (weights[n] if weighted else one) if known else nan
        for c in range(t, logits.shape[1], ROW_THREADS):
            p = math.exp(logits[n, c] - largest) / total
            if c == label:
                p -= one
            dlogits[n, c] = weight / N * p
        if t == 0:
            losses[n] = weight * (math.log(total) - (logits[n, label if known else 0] - largest))

    return crossentropy_kernel


@lru_cache
def mean_kernel(dtype):
    """One block adds up everything: each thread its share, then the tree."""
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def mean_kernel(x, N, mean):
        values = cuda.shared.array(ROW_THREADS, kind)
        t = cuda.threadIdx.x
        total = zero
        for n in range(t, x.size, ROW_THREADS):
            total += x[n]
        values[t] = total
        total = sum_of(values, t)
        if t == 0:
            mean[()] = total / N

    return mean_kernel


@jit
def hits_kernel(logits, labels, hits):
    """1 where the first largest logit of a row is its label's, NaN counting as the largest; one
    thread a row.
    """
    n = cuda.grid(1)
    if n < hits.size:
        best, place = logits[n, 0], 0
        for c in range(1, logits.shape[1]):
            value = logits[n, c]
            nan = value != value and best == best
            if value > best or nan:
                best, place = value, c
        hits[n] = hits.dtype.type(1) if place == labels[n] else hits.dtype.type(0)
