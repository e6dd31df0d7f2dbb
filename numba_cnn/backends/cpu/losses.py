"""Losses, their gradients, and accuracies on the CPU: each share is whole rows, then one thread adds the rows."""

from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import losses
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen import elementary
from numba_cnn.backends.cpu.codegen.compiler import in_loops
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import threads_for
from numba_cnn.backends.cpu.softmax_crossentropy import first_largest, mean, softmax_row

_COST = 8  # elements of a copy that take as long as the loss of one element


@checked
def categorical_crossentropy(logits, targets, sample_weight, loss, dlogits):
    _run(_categorical, logits, targets, sample_weight, loss, dlogits)


@checked
def binary_crossentropy(logits, targets, sample_weight, loss, dlogits):
    _run(_binary, logits, targets, sample_weight, loss, dlogits)


@checked
def categorical_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    _run(_categorical_of_probabilities, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def sparse_categorical_crossentropy_of_probabilities(
    probabilities, labels, sample_weight, loss, dprobabilities
):
    targets = empty(probabilities.shape, probabilities.dtype)
    _one_hot(threads_for(targets.size), labels, targets)
    _run(_categorical_of_probabilities, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def binary_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    _run(_binary_of_probabilities, probabilities, targets, sample_weight, loss, dprobabilities)


@checked
def mean_squared_error(y, targets, sample_weight, loss, dy):
    _run(_squared_error, y, targets, sample_weight, loss, dy)


@checked
def mean_absolute_error(y, targets, sample_weight, loss, dy):
    _run(_absolute_error, y, targets, sample_weight, loss, dy)


@checked
def categorical_accuracy(y, targets, accuracy):
    right = empty((len(y),), y.dtype)
    _same_largest(threads_for(2 * y.size), y, targets, right)
    mean(1, right, accuracy.reshape(1))


@checked
def binary_accuracy(y, targets, threshold, accuracy):
    right = empty((len(y),), y.dtype)
    _same_side(threads_for(y.size), y, targets, y.dtype.type(threshold), right)
    mean(1, right, accuracy.reshape(1))


def _run(rows, y, targets, sample_weight, loss, dy):
    """The losses of rows and their gradients, then the mean."""
    weights = constant(1, 0, y.dtype) if sample_weight is None else sample_weight
    of_rows = empty((len(y),), y.dtype)
    rows(threads_for(_COST * y.size), y, targets, weights, of_rows, dy)
    mean(1, of_rows, loss.reshape(1))


_LOSSES = losses.build(
    SimpleNamespace(
        like=elementary.like, where=elementary.select, exp=elementary.exp, log=elementary.log,
        log1p=elementary.log1p, sigmoid=elementary.sigmoid, function=in_loops,
    )
)  # fmt: skip
_of_probability = _LOSSES["categorical_crossentropy_of_probabilities"]


def _elementwise(name):
    """The kernel of a loss that is the mean of those of its elements; the cache keeps it by its name."""
    function = _LOSSES[name]

    def rows(share, shares, thread, packed):
        y, targets, weights, of_rows, dy = unpack(packed)
        N, C = y.shape
        count, channels = y.dtype.type(N), y.dtype.type(C)
        for n in range(share * N // shares, (share + 1) * N // shares):
            weight = weights[n] if weights.size > 0 else y.dtype.type(1)
            out, target, gradient = y[n], targets[n], dy[n]
            for c in range(C):
                gradient[c] = function(out[c], target[c])[0]
            total = y.dtype.type(0)
            for c in range(C):
                total += gradient[c]
            of_rows[n] = weight * total / channels
            factor = weight / (count * channels)
            for c in range(C):
                gradient[c] = function(out[c], target[c])[1] * factor

    rows.__name__ = rows.__qualname__ = f"rows_of_{name}"
    return kernel(rows)


_binary = _elementwise("binary_crossentropy")
_binary_of_probabilities = _elementwise("binary_crossentropy_of_probabilities")
_squared_error = _elementwise("mean_squared_error")
_absolute_error = _elementwise("mean_absolute_error")


@kernel
def _categorical(share, shares, thread, packed):
    logits, targets, weights, of_rows, dlogits = unpack(packed)
    N, C = logits.shape
    count = logits.dtype.type(N)
    for n in range(share * N // shares, (share + 1) * N // shares):
        weight = weights[n] if weights.size > 0 else logits.dtype.type(1)
        row, target, gradient = logits[n], targets[n], dlogits[n]
        largest, total = softmax_row(row, gradient)
        total = np.log(total)
        loss, whole = logits.dtype.type(0), logits.dtype.type(0)
        for c in range(C):
            loss += target[c] * (total - (row[c] - largest))
            whole += target[c]
        of_rows[n] = weight * loss
        for c in range(C):
            gradient[c] = (gradient[c] * whole - target[c]) * (weight / count)


@kernel
def _categorical_of_probabilities(share, shares, thread, packed):
    probabilities, targets, weights, of_rows, dprobabilities = unpack(packed)
    N, C = probabilities.shape
    count, zero = probabilities.dtype.type(N), probabilities.dtype.type(0)
    for n in range(share * N // shares, (share + 1) * N // shares):
        weight = weights[n] if weights.size > 0 else probabilities.dtype.type(1)
        row, target, gradient = probabilities[n], targets[n], dprobabilities[n]
        whole, loss, inner = zero, zero, zero
        for c in range(C):
            whole += row[c]
        for c in range(C):
            more, slope = _of_probability(row[c] / whole, target[c])
            loss += more
            inner += slope * (row[c] / whole)
            gradient[c] = slope
        of_rows[n] = weight * loss
        for c in range(C):
            gradient[c] = (gradient[c] - inner) / whole * (weight / count)


@kernel
def _one_hot(share, shares, thread, packed):
    labels, targets = unpack(packed)
    N, C = targets.shape
    for n in range(share * N // shares, (share + 1) * N // shares):
        targets[n] = 0
        targets[n, labels[n]] = 1


@kernel
def _same_largest(share, shares, thread, packed):
    y, targets, right = unpack(packed)
    N = len(y)
    for n in range(share * N // shares, (share + 1) * N // shares):
        right[n] = first_largest(y[n]) == first_largest(targets[n])


@kernel
def _same_side(share, shares, thread, packed):
    """The share of each row that is right."""
    y, targets, threshold, right = unpack(packed)
    N, C = y.shape
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for n in range(share * N // shares, (share + 1) * N // shares):
        total = zero
        for c in range(C):
            total += one if (one if y[n, c] > threshold else zero) == targets[n, c] else zero
        right[n] = total / y.dtype.type(C)
