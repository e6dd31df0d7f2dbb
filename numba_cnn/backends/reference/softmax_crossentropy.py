"""Softmax, its cross-entropy and its accuracy."""

import numpy as np


def softmax(x, y):
    """exp(x) over its sum along the last axis, with the maximum taken off first."""
    np.exp(x - x.max(-1, keepdims=True), out=y)
    y /= y.sum(-1, keepdims=True)


def softmax_backward(dy, y, dx):
    """y (dy - the sum of dy y along the last axis)."""
    dx[...] = y * (dy - (dy * y).sum(-1, keepdims=True))


def log_softmax(x, y):
    """The logarithm of softmax, in which nothing underflows."""
    shifted = x - x.max(-1, keepdims=True)
    y[...] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def log_softmax_backward(dy, y, dx):
    """dy - softmax times the sum of dy along the last axis."""
    dx[...] = dy - np.exp(y) * dy.sum(-1, keepdims=True)


def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    """The mean over the batch of -log softmax(logits)[label] times the sample's weight, and its gradient."""
    N = len(labels)
    weights = np.ones(N, logits.dtype) if sample_weight is None else sample_weight
    softmax(logits, dlogits)
    shifted = logits - logits.max(-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(-1))
    loss[...] = (weights * (log_sum - shifted[np.arange(N), labels])).sum() / N
    dlogits[np.arange(N), labels] -= 1
    dlogits *= (weights / N)[:, None]


def sparse_categorical_accuracy(logits, labels, accuracy):
    """The share of the batch whose largest logit is the label's; the first largest counts."""
    accuracy[...] = (logits.argmax(-1) == labels).mean()
