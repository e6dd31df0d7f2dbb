"""The formulas of losses, in NumPy: one value for each row of targets and outputs, and the gradient with respect to
the outputs.

Each takes (targets, outputs, settings) and returns (values, pull): pull(dvalues) is the outputs' gradient. Rows lie
along the last axis. Numbers are clipped where Keras clips them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Pull = Callable[[np.ndarray], np.ndarray]
Formula = tuple[np.ndarray, Pull]
EPSILON = 1e-7


def _mean(values: np.ndarray, slopes: np.ndarray) -> Formula:
    """The mean of a row's values, each of which has a slope."""
    return values.mean(-1), lambda dvalues: dvalues[..., None] * slopes / slopes.shape[-1]


def _sum(values: np.ndarray, slopes: np.ndarray) -> Formula:
    return values.sum(-1), lambda dvalues: dvalues[..., None] * slopes


def mean_squared_error(t: np.ndarray, y: np.ndarray) -> Formula:
    return _mean(np.square(y - t), 2 * (y - t))


def mean_absolute_error(t: np.ndarray, y: np.ndarray) -> Formula:
    return _mean(np.abs(y - t), np.sign(y - t))


def mean_absolute_percentage_error(t: np.ndarray, y: np.ndarray) -> Formula:
    size = np.maximum(np.abs(t), y.dtype.type(EPSILON))
    return _mean(100 * np.abs((t - y) / size), 100 * np.sign(y - t) / size)


def mean_squared_logarithmic_error(t: np.ndarray, y: np.ndarray) -> Formula:
    low = y.dtype.type(EPSILON)
    distance = np.log(np.maximum(y, low) + 1) - np.log(np.maximum(t, low) + 1)
    return _mean(np.square(distance), np.where(y > low, 2 * distance / (y + 1), 0))


def huber(t: np.ndarray, y: np.ndarray, delta: float = 1.0) -> Formula:
    error, most = y - t, y.dtype.type(delta)
    size = np.abs(error)
    values = np.where(size <= most, error * error / 2, most * size - most * most / 2)
    return _mean(values, np.clip(error, -most, most))


def log_cosh(t: np.ndarray, y: np.ndarray) -> Formula:
    error = y - t
    values = error + np.logaddexp(0, -2 * error) - y.dtype.type(np.log(2))
    return _mean(values.astype(y.dtype), np.tanh(error))


def kl_divergence(t: np.ndarray, y: np.ndarray) -> Formula:
    low = y.dtype.type(EPSILON)
    t, inside = np.clip(t, low, 1), (y >= low) & (y <= 1)
    p = np.clip(y, low, 1)
    return _sum(t * np.log(t / p), np.where(inside, -t / p, 0))


def poisson(t: np.ndarray, y: np.ndarray) -> Formula:
    shifted = y + y.dtype.type(EPSILON)
    return _mean(y - t * np.log(shifted), 1 - t / shifted)


def _signs(t: np.ndarray) -> np.ndarray:
    """Targets of 0 and 1 as -1 and 1; others as they are."""
    return 2 * t - 1 if ((t == 0) | (t == 1)).all() else t


def hinge(t: np.ndarray, y: np.ndarray) -> Formula:
    t = _signs(t)
    short = np.maximum(1 - t * y, 0)
    return _mean(short, np.where(short > 0, -t, 0))


def squared_hinge(t: np.ndarray, y: np.ndarray) -> Formula:
    t = _signs(t)
    short = np.maximum(1 - t * y, 0)
    return _mean(np.square(short), -2 * t * short)


def categorical_hinge(t: np.ndarray, y: np.ndarray) -> Formula:
    others = (1 - t) * y
    place = others.argmax(-1)[..., None]
    short = np.take_along_axis(others, place, -1)[..., 0] - (t * y).sum(-1) + 1
    slopes = -t.copy()
    chosen = np.take_along_axis(slopes + (1 - t), place, -1)
    np.put_along_axis(slopes, place, chosen, -1)
    slopes = np.where(short[..., None] > 0, slopes, 0)
    return np.maximum(short, 0), lambda dvalues: dvalues[..., None] * slopes


def _unit(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """(x divided by its length, that length), of which no square is below 1e-12."""
    length = np.sqrt(np.maximum((x * x).sum(axis, keepdims=True), x.dtype.type(1e-12)))
    return x / length, length


def cosine_similarity(t: np.ndarray, y: np.ndarray, axis: int = -1) -> Formula:
    """The negative cosine of the angle between targets and outputs."""
    (p, length), (q, _) = _unit(y, axis), _unit(t, axis)

    def pull(dvalues: np.ndarray) -> np.ndarray:
        slopes = -(q - p * (p * q).sum(axis, keepdims=True)) / length
        made: np.ndarray = np.expand_dims(dvalues, axis) * slopes
        return made

    return -(p * q).sum(axis), pull


def _softmax(y: np.ndarray) -> np.ndarray:
    e = np.exp(y - y.max(-1, keepdims=True))
    made: np.ndarray = e / e.sum(-1, keepdims=True)
    return made


def _smoothed(t: np.ndarray, label_smoothing: float, classes: int) -> np.ndarray:
    if not label_smoothing:
        return t
    kind = t.dtype.type
    made: np.ndarray = t * kind(1 - label_smoothing) + kind(label_smoothing / classes)
    return made


def _of_logits(from_logits: bool, y: np.ndarray, sigmoid: bool = False) -> tuple[np.ndarray, Pull]:
    """(probabilities, what turns their gradient into that of the outputs)."""
    if not from_logits:
        return y, lambda dp: dp
    if sigmoid:
        p = 1 / (1 + np.exp(-y))
        return p, lambda dp: dp * p * (1 - p)
    p = _softmax(y)
    return p, lambda dp: p * (dp - (dp * p).sum(-1, keepdims=True))


def _shares(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, Pull]:
    """(probabilities divided by their sum and clipped, where they are not clipped, the gradient's way back)."""
    total, low = p.sum(-1, keepdims=True), p.dtype.type(EPSILON)
    share = p / total
    inside = (share > low) & (share < 1 - low)

    def pull(dshare: np.ndarray) -> np.ndarray:
        dshare = np.where(inside, dshare, 0)
        made: np.ndarray = (dshare - (dshare * share).sum(-1, keepdims=True)) / total
        return made

    return np.clip(share, low, 1 - low), inside, pull


def categorical_crossentropy(
    t: np.ndarray, y: np.ndarray, from_logits: bool = False, label_smoothing: float = 0.0
) -> Formula:
    t = _smoothed(t, label_smoothing, t.shape[-1])
    if from_logits:
        shifted = y - y.max(-1, keepdims=True)
        log = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        return _sum(-t * log, np.exp(log) * t.sum(-1, keepdims=True) - t)
    share, _, pull = _shares(y)
    return -(t * np.log(share)).sum(-1), lambda dvalues: pull(-dvalues[..., None] * t / share)


def sparse_categorical_crossentropy(
    labels: np.ndarray, y: np.ndarray, from_logits: bool = False, ignore_class: int | None = None
) -> Formula:
    kept = np.ones(labels.shape, bool) if ignore_class is None else labels != ignore_class
    onehot = np.eye(y.shape[-1], dtype=y.dtype)[np.where(kept, labels, 0).astype(np.int64)]
    values, pull = categorical_crossentropy(onehot, y, from_logits)
    return np.where(kept, values, 0), lambda dvalues: pull(np.where(kept, dvalues, 0))


def binary_crossentropy(
    t: np.ndarray, y: np.ndarray, from_logits: bool = False, label_smoothing: float = 0.0
) -> Formula:
    t = _smoothed(t, label_smoothing, 2)
    if from_logits:
        values = np.maximum(y, 0) - y * t + np.log1p(np.exp(-np.abs(y)))
        return _mean(values, 1 / (1 + np.exp(-y)) - t)
    low = y.dtype.type(EPSILON)
    p, inside = np.clip(y, low, 1 - low), (y > low) & (y < 1 - low)
    values = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    return _mean(values, np.where(inside, (p - t) / (p * (1 - p)), 0))


def binary_focal_crossentropy(
    t: np.ndarray,
    y: np.ndarray,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Formula:
    t = _smoothed(t, label_smoothing, 2)
    p, pull = _of_logits(from_logits, y, sigmoid=True)
    low = p.dtype.type(EPSILON)
    clipped, inside = np.clip(p, low, 1 - low), (p > low) & (p < 1 - low)
    entropy = -(t * np.log(clipped) + (1 - t) * np.log(1 - clipped))
    dentropy = np.where(inside, (clipped - t) / (clipped * (1 - clipped)), 0)
    rest = 1 - (t * p + (1 - t) * (1 - p))
    weight: Any = t * alpha + (1 - t) * (1 - alpha) if apply_class_balancing else 1.0
    factor = weight * rest**gamma
    dfactor = weight * gamma * rest ** (gamma - 1) * (1 - 2 * t) if gamma else 0.0
    values, back = _mean(factor * entropy, dfactor * entropy + factor * dentropy)
    return values, lambda dvalues: pull(back(dvalues))


def categorical_focal_crossentropy(
    t: np.ndarray,
    y: np.ndarray,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Formula:
    t = _smoothed(t, label_smoothing, t.shape[-1])
    p, of_scores = _of_logits(from_logits, y)
    share, _, pull = _shares(p)
    entropy, factor = -t * np.log(share), np.asarray(alpha, y.dtype) * (1 - share) ** gamma
    slopes = -factor * t / share
    if gamma:
        slopes = slopes - alpha * gamma * (1 - share) ** (gamma - 1) * entropy
    return (factor * entropy).sum(-1), lambda dvalues: of_scores(pull(dvalues[..., None] * slopes))


def categorical_generalized_cross_entropy(
    labels: np.ndarray, y: np.ndarray, q: float = 0.5
) -> Formula:
    onehot = np.eye(y.shape[-1], dtype=y.dtype)[labels.astype(np.int64)]
    p = (y * onehot).sum(-1)

    def pull(dvalues: np.ndarray) -> np.ndarray:
        made: np.ndarray = -(dvalues * p ** (q - 1))[..., None] * onehot
        return made

    return (1 - p**q) / q, pull


def tversky(
    t: np.ndarray, y: np.ndarray, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Formula:
    """1 - what targets and outputs share, beside alpha times what is missed and beta times what is too much."""
    axes = tuple(axis) if isinstance(axis, list) else axis
    shared = (t * y).sum(axes, keepdims=True)
    missed = ((1 - y) * t).sum(axes, keepdims=True)
    extra = (y * (1 - t)).sum(axes, keepdims=True)
    whole = shared + alpha * missed + beta * extra + y.dtype.type(EPSILON)

    def pull(dvalues: np.ndarray) -> np.ndarray:
        dwhole = t - alpha * t + beta * (1 - t)
        slopes = -(t * whole - shared * dwhole) / (whole * whole)
        made: np.ndarray = np.reshape(dvalues, shared.shape) * slopes
        return made

    return np.asarray(1 - shared / whole).squeeze(axes), pull


def dice(t: np.ndarray, y: np.ndarray, axis: Any = None) -> Formula:
    """1 - twice what targets and outputs share, beside the sum of both."""
    axes = tuple(axis) if isinstance(axis, list) else axis
    shared = (t * y).sum(axes, keepdims=True)
    whole = t.sum(axes, keepdims=True) + y.sum(axes, keepdims=True) + y.dtype.type(EPSILON)

    def pull(dvalues: np.ndarray) -> np.ndarray:
        slopes = -2 * (t * whole - shared) / (whole * whole)
        made: np.ndarray = np.reshape(dvalues, shared.shape) * slopes
        return made

    return np.asarray(1 - 2 * shared / whole).squeeze(axes), pull
