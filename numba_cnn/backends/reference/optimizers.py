"""The optimizers' steps, in place."""

import math
from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import updates


def sgd(parameter, gradient, velocity, learning_rate, momentum, nesterov):
    """Keras's SGD, in place; velocity is None where there is no momentum."""
    step = learning_rate * gradient
    if velocity is None:
        parameter -= step
    else:
        velocity[...] = momentum * velocity - step
        parameter += momentum * velocity - step if nesterov else velocity


def rmsprop(parameter, gradient, velocity, learning_rate, rho, epsilon):
    """Keras's RMSprop, in place; epsilon lies inside the root."""
    velocity[...] = rho * velocity + (1 - rho) * gradient**2
    parameter -= learning_rate * gradient / np.sqrt(velocity + epsilon)


def adam(parameter, gradient, momentum, velocity, alpha, beta_1, beta_2, epsilon):
    """Keras's Adam, in place; alpha is the learning rate with the bias correction in it."""
    momentum += (gradient - momentum) * (1 - beta_1)
    velocity += (gradient**2 - velocity) * (1 - beta_2)
    parameter -= momentum * alpha / (np.sqrt(velocity) + epsilon)


def add_norms(x, of_sizes, of_squares, total):
    """total plus so many times the sum of sizes and that of squares, in place."""
    total += of_sizes * np.sum(np.abs(x)) + of_squares * np.sum(x * x)


def clip_by_norm(x, squares, limit):
    """x, whose norm, or that of all that it belongs to, is the root of `squares`, in place: no longer than limit."""
    x *= limit / np.maximum(np.sqrt(squares), limit)


_UPDATES = updates.build(
    SimpleNamespace(
        like=lambda x, v: float(v),
        where=lambda c, a, b: a if c else b,
        sqrt=math.sqrt,
        exp=math.exp,
        log=math.log,
        function=lambda f: f,
    )
)


def update(parameter, gradient, first, second, third, rule, constants):
    """One of updates.py's functions, number by number, in place."""
    state = (first, second, third)[: updates.STATE[rule]]
    a, b, c, d, e = updates.padded(constants)
    for i in np.ndindex(parameter.shape):
        numbers = [float(array[i]) for array in (parameter, gradient, *state)]
        made = _UPDATES[rule](*numbers, a, b, c, d, e)
        for array, value in zip((parameter, *state), made, strict=True):
            array[i] = value
