"""Losses of single numbers and their gradients: plain Python that both backends compile.

`build(m)` defines them by the words of `m` (like, where, exp, log, log1p, sigmoid and function, as in scalars.py), each
function(y, target), which returns the loss and its derivative by y.
"""

from __future__ import annotations

from typing import Any

SMALLEST = 1e-7  # of a probability, as in Keras: others are clipped to SMALLEST..1 - SMALLEST


def build(m: Any) -> dict[str, Any]:
    """The losses by name."""
    like, where, exp, log, log1p, sigmoid = m.like, m.where, m.exp, m.log, m.log1p, m.sigmoid

    def binary_crossentropy(x, t):
        size = where(x < like(x, 0), -x, x)
        loss = where(x < like(x, 0), like(x, 0), x) - x * t + log1p(exp(-size))
        return loss, sigmoid(x) - t

    def binary_crossentropy_of_probabilities(p, t):
        one, low, high = like(p, 1), like(p, SMALLEST), like(p, 1 - SMALLEST)
        c = where(p < low, low, where(p > high, high, p))
        loss = -(t * log(c) + (one - t) * log(one - c))
        return loss, where((p <= low) | (p >= high), like(p, 0), (c - t) / (c * (one - c)))

    def categorical_crossentropy_of_probabilities(p, t):
        low, high = like(p, SMALLEST), like(p, 1 - SMALLEST)
        c = where(p < low, low, where(p > high, high, p))
        return -t * log(c), where((p <= low) | (p >= high), like(p, 0), -t / c)

    def mean_squared_error(y, t):
        return (y - t) * (y - t), like(y, 2) * (y - t)

    def mean_absolute_error(y, t):
        distance, zero = y - t, like(y, 0)
        sign = where(distance > zero, like(y, 1), where(distance < zero, like(y, -1), distance))
        return where(distance < zero, -distance, distance), sign

    made = (
        binary_crossentropy, binary_crossentropy_of_probabilities, categorical_crossentropy_of_probabilities,
        mean_squared_error, mean_absolute_error,
    )  # fmt: skip
    return {function.__name__: m.function(function) for function in made}
