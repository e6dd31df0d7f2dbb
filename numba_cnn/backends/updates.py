"""What is done in place to arrays and their state, number by number: steps of optimizers, and what goes with them.

Both backends compile these functions, and the reference maps them over arrays. `build(m)` defines them by the words
of `m` (like, where, sqrt, exp, log and function, as in scalars.py). Each is a function of (w, g, the state's numbers,
a, b, c, d, e), which returns w and the state as they are afterwards; a to e are constants. How many arrays of state
there are, STATE says.
"""

from __future__ import annotations

from typing import Any

STATE = {
    "add_penalty": 0,
    "blend": 0,
    "clip": 0,
    "scale": 0,
    "adagrad": 1,
    "lion": 1,
    "adadelta": 2,
    "adamax": 2,
    "ftrl": 2,
    "nadam": 2,
    "rmsprop_centered": 2,
    "rmsprop_momentum": 2,
    "amsgrad": 3,
    "rmsprop_centered_momentum": 3,
}


CONSTANTS = 5


def padded(constants: tuple[float, ...]) -> tuple[float, ...]:
    """The constants, and 0 for those that the rule does not have."""
    return (*constants, *(0.0,) * (CONSTANTS - len(constants)))


def build(m: Any) -> dict[str, Any]:
    """The updates by name."""
    made = {**_plain(m), **_adaptive(m), **_rmsprop(m)}
    return {name: m.function(made[name]) for name in STATE}


def _plain(m: Any) -> dict[str, Any]:
    """Updates without state, but for Lion's. NaN goes through: it is not below or above anything."""
    like, where = m.like, m.where

    def add_penalty(w, g, a, b, c, d, e):
        """The gradient w and that of a * |g| + b / 2 * g^2."""
        zero = like(g, 0)
        return (w + where(g > zero, a, where(g < zero, -a, zero)) + b * g,)

    def blend(w, g, a, b, c, d, e):
        return (a * w + b * g,)

    def clip(w, g, a, b, c, d, e):
        return (where(w < a, a, where(w > b, b, w)),)

    def scale(w, g, a, b, c, d, e):
        return (w * a,)

    def lion(w, g, momentum, rate, beta_1, rest_1, beta_2, rest_2):
        zero, one = like(w, 0), like(w, 1)
        direction = momentum * beta_1 + g * rest_1
        sign = where(direction > zero, one, where(direction < zero, -one, direction))
        return w - rate * sign, momentum * beta_2 + g * rest_2

    made = add_penalty, blend, clip, scale, lion
    return {function.__name__: function for function in made}


def _adaptive(m: Any) -> dict[str, Any]:
    """Steps that each number's own history divides."""
    like, where, sqrt, exp, log = m.like, m.where, m.sqrt, m.exp, m.log

    def adagrad(w, g, total, rate, epsilon, c, d, e):
        total = total + g * g
        return w - rate * g / sqrt(total + epsilon), total

    def adadelta(w, g, squares, steps, rate, rho, rest, epsilon, e):
        squares = rho * squares + rest * (g * g)
        step = -(sqrt(steps + epsilon) * g) / sqrt(squares + epsilon)
        return w + rate * step, squares, rho * steps + rest * (step * step)

    def adamax(w, g, momentum, norm, rate, rest_1, beta_2, epsilon, e):
        momentum = momentum + (g - momentum) * rest_1
        size, kept = where(g < like(g, 0), -g, g), beta_2 * norm
        norm = where(kept > size, kept, size)
        return w - rate * momentum / (norm + epsilon), momentum, norm

    def nadam(w, g, momentum, velocity, rest_1, rest_2, of_momentum, of_gradient, epsilon):
        momentum = momentum + (g - momentum) * rest_1
        velocity = velocity + (g * g - velocity) * rest_2
        step = of_momentum * momentum + of_gradient * g
        return w - step / (sqrt(velocity) + epsilon), momentum, velocity

    def amsgrad(w, g, momentum, velocity, largest, rate, rest_1, rest_2, epsilon, e):
        momentum = momentum + (g - momentum) * rest_1
        velocity = velocity + (g * g - velocity) * rest_2
        largest = where(velocity > largest, velocity, largest)
        return w - momentum * rate / (sqrt(largest) + epsilon), momentum, velocity, largest

    def power(x, p):
        """x ** p, which is 1 for p = 0, of what is not negative."""
        zero = like(x, 0)
        other = exp(p * log(where(x > zero, x, like(x, 1))))
        other = where((x > zero) | (p == zero), other, zero)
        return where(p == like(x, 0.5), sqrt(x), other)

    def ftrl(w, g, total, linear, rate, exponent, l1, l2, shrinkage):
        after = total + g * g
        high = power_of(after, exponent)
        linear = linear + (g + shrinkage * w - (high - power_of(total, exponent)) / rate * w)
        clipped = where(linear < -l1, -l1, where(linear > l1, l1, linear))
        return (clipped - linear) / (high / rate + l2), after, linear

    power_of = m.function(power)
    made = adagrad, adadelta, adamax, nadam, amsgrad, ftrl
    return {function.__name__: function for function in made}


def _rmsprop(m: Any) -> dict[str, Any]:
    """RMSprop beyond the mean of squares alone, which has kernels of its own."""
    sqrt = m.sqrt

    def rmsprop_momentum(w, g, velocity, momentum, rate, rho, rest, epsilon, kept):
        velocity = rho * velocity + rest * (g * g)
        momentum = kept * momentum + rate * g / sqrt(velocity + epsilon)
        return w - momentum, velocity, momentum

    def rmsprop_centered(w, g, velocity, mean, rate, rho, rest, epsilon, e):
        velocity = rho * velocity + rest * (g * g)
        mean = rho * mean + rest * g
        return w - rate * g / sqrt(velocity - mean * mean + epsilon), velocity, mean

    def rmsprop_centered_momentum(w, g, velocity, momentum, mean, rate, rho, rest, epsilon, kept):
        velocity = rho * velocity + rest * (g * g)
        mean = rho * mean + rest * g
        momentum = kept * momentum + rate * g / sqrt(velocity - mean * mean + epsilon)
        return w - momentum, velocity, momentum, mean

    made = rmsprop_momentum, rmsprop_centered, rmsprop_centered_momentum
    return {function.__name__: function for function in made}
