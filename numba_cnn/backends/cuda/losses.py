"""Losses, their gradients, and accuracies: one thread a row, then one block adds the rows."""

import math
from functools import lru_cache
from types import SimpleNamespace

from numba_cnn.backends import losses
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.activations import words
from numba_cnn.backends.cuda.launch import ROW_THREADS, launch, launch_each
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.softmax_crossentropy import mean_kernel


@checked
def categorical_crossentropy(logits, targets, sample_weight, loss, dlogits):
    _run(categorical_kernel, logits, targets, sample_weight, loss, dlogits)


@checked
def binary_crossentropy(logits, targets, sample_weight, loss, dlogits):
    _elementwise("binary_crossentropy", logits, targets, sample_weight, loss, dlogits)


@checked
def categorical_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    _run(of_probabilities_kernel, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def sparse_categorical_crossentropy_of_probabilities(
    probabilities, labels, sample_weight, loss, dprobabilities
):
    targets = empty(probabilities.shape, probabilities.dtype)
    launch_each(one_hot_kernel, targets.size, labels, targets)
    _run(of_probabilities_kernel, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def binary_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    name = "binary_crossentropy_of_probabilities"
    _elementwise(name, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def mean_squared_error(y, targets, sample_weight, loss, dy):
    _elementwise("mean_squared_error", y, targets, sample_weight, loss, dy)


@checked
def mean_absolute_error(y, targets, sample_weight, loss, dy):
    _elementwise("mean_absolute_error", y, targets, sample_weight, loss, dy)


@checked
def categorical_accuracy(y, targets, accuracy):
    right = empty((y.shape[0],), y.dtype)
    launch_each(same_largest_kernel, right.size, y, targets, right)
    _mean(right, accuracy)


@checked
def binary_accuracy(y, targets, threshold, accuracy):
    right = empty((y.shape[0],), y.dtype)
    launch_each(same_side_kernel, right.size, y, targets, y.dtype.type(threshold), right)
    _mean(right, accuracy)


def _elementwise(name, y, *rest):
    _run(lambda dtype, weighted: elementwise_kernel(name, dtype, weighted), y, *rest)


def _run(kernel_of, y, targets, sample_weight, loss, dy):
    N, kind = y.shape[0], y.dtype.type
    of_rows = empty((N,), y.dtype)
    weights = of_rows if sample_weight is None else sample_weight
    kernel = kernel_of(y.dtype, sample_weight is not None)
    launch_each(kernel, N, y, targets, weights, kind(N), kind(y.shape[1]), of_rows, dy)
    _mean(of_rows, loss)


def _mean(values, mean):
    launch(mean_kernel(values.dtype), 1, ROW_THREADS, values, values.dtype.type(values.size), mean)


@lru_cache
def _losses(dtype):
    return losses.build(SimpleNamespace(**words(dtype), function=device))


@device
def first_largest(x, n):
    """The place of the first largest number of a row, NaN counting as the largest."""
    best, place = x[n, 0], 0
    for c in range(1, x.shape[1]):
        value = x[n, c]
        nan = value != value and best == best
        if value > best or nan:
            best, place = value, c
    return place


@lru_cache
def elementwise_kernel(name, dtype, weighted):
    zero, one = dtype.type(0), dtype.type(1)
    function = _losses(dtype)[name]

    @jit
    def elementwise_kernel(y, targets, weights, N, C, of_rows, dy):
        n = cuda.grid(1)
        if n < of_rows.size:
            weight = weights[n] if weighted else one
            total = zero
            for c in range(y.shape[1]):
                loss, slope = function(y[n, c], targets[n, c])
                total += loss
                dy[n, c] = slope * (weight / (N * C))
            of_rows[n] = weight * total / C

    return elementwise_kernel


@lru_cache
def categorical_kernel(dtype, weighted):
    zero, one = dtype.type(0), dtype.type(1)
    exp, log = words(dtype)["exp"], words(dtype)["log"]

    @jit
    def categorical_kernel(logits, targets, weights, N, C, of_rows, dlogits):
        n = cuda.grid(1)
        if n < of_rows.size:
            weight = weights[n] if weighted else one
            largest = logits[n, first_largest(logits, n)]
            total, whole, loss = zero, zero, zero
            for c in range(logits.shape[1]):
                total += exp(logits[n, c] - largest)
                whole += targets[n, c]
            for c in range(logits.shape[1]):
                loss += targets[n, c] * (log(total) - (logits[n, c] - largest))
                p = exp(logits[n, c] - largest) / total
                dlogits[n, c] = (p * whole - targets[n, c]) * (weight / N)
            of_rows[n] = weight * loss

    return categorical_kernel


@lru_cache
def of_probabilities_kernel(dtype, weighted):
    zero, one = dtype.type(0), dtype.type(1)
    function = _losses(dtype)["categorical_crossentropy_of_probabilities"]

    @jit
    def of_probabilities_kernel(probabilities, targets, weights, N, C, of_rows, dprobabilities):
        n = cuda.grid(1)
        if n < of_rows.size:
            weight = weights[n] if weighted else one
            total, loss, inner = zero, zero, zero
            for c in range(probabilities.shape[1]):
                total += probabilities[n, c]
            for c in range(probabilities.shape[1]):
                p = probabilities[n, c] / total
                more, slope = function(p, targets[n, c])
                loss += more
                inner += slope * p
            for c in range(probabilities.shape[1]):
                more, slope = function(probabilities[n, c] / total, targets[n, c])
                dprobabilities[n, c] = (slope - inner) / total * (weight / N)
            of_rows[n] = weight * loss

    return of_probabilities_kernel


@jit
def one_hot_kernel(labels, targets):
    """A label that is no class makes its row NaN."""
    i = cuda.grid(1)
    if i < targets.size:
        classes = targets.shape[1]
        n, c = i // classes, i % classes
        kind = targets.dtype.type
        known = labels[n] >= 0 and labels[n] < classes
        value = kind(1) if labels[n] == c else kind(0)
        targets[n, c] = value if known else kind(math.nan)


@jit
def same_largest_kernel(y, targets, right):
    n = cuda.grid(1)
    if n < right.size:
        same = first_largest(y, n) == first_largest(targets, n)
        right[n] = right.dtype.type(1) if same else right.dtype.type(0)


@jit
def same_side_kernel(y, targets, threshold, right):
    n = cuda.grid(1)
    if n < right.size:
        kind = right.dtype.type
        total = kind(0)
        for c in range(y.shape[1]):
            side = kind(1) if y[n, c] > threshold else kind(0)
            total += kind(1) if side == targets[n, c] else kind(0)
        right[n] = total / kind(y.shape[1])
