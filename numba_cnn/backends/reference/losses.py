"""Losses and their gradients on rows, and accuracies."""

import numpy as np

from numba_cnn.backends.reference.softmax_crossentropy import softmax

_LOW, _HIGH = 1e-7, 1 - 1e-7  # between which Keras clips probabilities


def categorical_crossentropy(logits, targets, sample_weight, loss, dlogits):
    """-sum of targets times the logarithm of softmax."""
    softmax(logits, dlogits)
    shifted = logits - logits.max(-1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    gradient = dlogits * targets.sum(-1, keepdims=True) - targets
    _mean(-(targets * log).sum(-1), gradient, sample_weight, loss, dlogits)


def binary_crossentropy(logits, targets, sample_weight, loss, dlogits):
    """The cross-entropy of sigmoid(logits), each output by itself."""
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    gradient = 0.5 * (1 + np.tanh(logits / 2)) - targets
    _mean(losses.mean(-1), gradient / logits.shape[1], sample_weight, loss, dlogits)


def categorical_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    """-sum of targets times the logarithm of probabilities, which are divided by their sum and clipped before."""
    total = probabilities.sum(-1, keepdims=True)
    p = probabilities / total
    clipped = np.clip(p, _LOW, _HIGH)
    inner = np.where(p == clipped, -targets / clipped, 0) + np.where(np.isnan(p), p, 0)
    gradient = (inner - (inner * p).sum(-1, keepdims=True)) / total
    _mean(-(targets * np.log(clipped)).sum(-1), gradient, sample_weight, loss, dprobabilities)


def sparse_categorical_crossentropy_of_probabilities(
    probabilities, labels, sample_weight, loss, dprobabilities
):
    """The same, where one target is 1."""
    targets = np.eye(probabilities.shape[1])[labels]
    categorical_crossentropy_of_probabilities(
        probabilities, targets, sample_weight, loss, dprobabilities
    )


def binary_crossentropy_of_probabilities(
    probabilities, targets, sample_weight, loss, dprobabilities
):
    """The cross-entropy of each probability, clipped before, by itself."""
    p = np.clip(probabilities, _LOW, _HIGH)
    losses = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    outside = (probabilities <= _LOW) | (probabilities >= _HIGH)
    gradient = np.where(outside, 0, (p - targets) / (p * (1 - p))) / p.shape[1]
    _mean(losses.mean(-1), gradient, sample_weight, loss, dprobabilities)


def mean_squared_error(y, targets, sample_weight, loss, dy):
    """The mean of squared distances."""
    gradient = 2 * (y - targets) / y.shape[1]
    _mean(((y - targets) ** 2).mean(-1), gradient, sample_weight, loss, dy)


def mean_absolute_error(y, targets, sample_weight, loss, dy):
    """The mean of distances; its gradient is 0 at 0."""
    gradient = np.sign(y - targets) / y.shape[1]
    _mean(np.abs(y - targets).mean(-1), gradient, sample_weight, loss, dy)


def categorical_accuracy(y, targets, accuracy):
    """The share of rows whose first largest output is that of their targets."""
    accuracy[...] = (y.argmax(-1) == targets.argmax(-1)).mean()


def binary_accuracy(y, targets, threshold, accuracy):
    """The share of outputs that lie above the threshold where their target is 1, and not where it is 0."""
    accuracy[...] = ((y > threshold) == targets).mean()


def _mean(losses, gradient, sample_weight, loss, dy):
    """The weighted losses' mean over rows, and its gradient."""
    weights = np.ones_like(losses) if sample_weight is None else sample_weight
    loss[...] = (weights * losses).mean()
    dy[...] = gradient * (weights / len(losses))[:, None]
