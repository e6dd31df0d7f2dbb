"""Activations and their gradients on numbers: what both backends compile, and the reference maps over arrays.

`build(m)` defines them by the words of `m`, which each room has its own of:

    like(x, v)        the number v in the type of x
    where(c, a, b)    a if c else b, both computed
    exp, expm1, log1p (of what lies in 0..1), tanh, sigmoid, erf
    function          what makes a function of plain Python callable from the others

Every function takes (x, a, b, c), where a, b and c are the activation's settings in the order of SETTINGS. The gradient
is one of the output y where that is enough, else of the input x.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

# The settings of each activation and what they are if nobody says; "relu" without any has kernels of its own.
SETTINGS: dict[str, dict[str, float]] = {
    "affine": {"scale": 1.0, "offset": 0.0},  # no activation of Keras's: what Rescaling does
    "celu": {"alpha": 1.0},
    "elu": {"alpha": 1.0},
    "exponential": {},
    "gelu": {"approximate": 0.0},  # if not 0, the kernels are those of gelu_tanh
    "gelu_tanh": {},
    "hard_shrink": {"threshold": 0.5},
    "hard_sigmoid": {},
    "hard_silu": {},
    "hard_tanh": {},
    "leaky_relu": {"negative_slope": 0.2},
    "log_sigmoid": {},
    "mish": {},
    "relu": {"negative_slope": 0.0, "max_value": math.inf, "threshold": 0.0},
    "relu6": {},
    "selu": {},
    "sigmoid": {},
    "silu": {},
    "soft_shrink": {"threshold": 0.5},
    "softplus": {},
    "softsign": {},
    "squareplus": {"b": 4.0},
    "tanh": {},
    "tanh_shrink": {},
}

# Activations whose gradient needs the input; those of the others come from the output, which may take its place.
OF_INPUT = frozenset(
    {
        "gelu",
        "gelu_tanh",
        "hard_shrink",
        "hard_silu",
        "mish",
        "relu",
        "silu",
        "soft_shrink",
        "squareplus",
        "tanh_shrink",
    }
)

# Klambauer et al., arXiv:1706.02515.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


class Activation(NamedTuple):
    """function(x, a, b, c) and the factor by which dy is multiplied, gradient(x or y, a, b, c)."""

    function: Any
    gradient: Any


def build(m: Any) -> dict[str, Activation]:
    """The activations by name."""
    made = {**_piecewise(m), **_exponential(m), **_smooth(m)}
    return {name: Activation(*map(m.function, made[name])) for name in SETTINGS}


def _piecewise(m: Any) -> dict[str, tuple[Any, Any]]:
    """Activations of straight pieces. NaN goes through: it is not below or above anything."""
    like, where = m.like, m.where

    def affine(x, a, b, c):
        return a * x + b

    def affine_gradient(y, a, b, c):
        return a

    def relu(x, a, b, c):
        zero = like(x, 0)
        kept = where(x <= c, zero, x)
        kept = where((b < like(x, math.inf)) & (kept < zero), zero, where(kept > b, b, kept))
        return kept - a * where(x < c, c - x, zero)

    def relu_gradient(x, a, b, c):
        zero, one = like(x, 0), like(x, 1)
        outside = (x <= c) | (x >= b) | ((b < like(x, math.inf)) & (x < zero))
        return where(outside, zero, one) + where(x < c, a, zero)

    def relu6(x, a, b, c):
        return where(x <= like(x, 0), like(x, 0), where(x > like(x, 6), like(x, 6), x))

    def relu6_gradient(y, a, b, c):
        return where((y > like(y, 0)) & (y < like(y, 6)), like(y, 1), like(y, 0))

    def leaky_relu(x, a, b, c):
        return where(x < like(x, 0), a * x, x)

    def leaky_relu_gradient(y, a, b, c):
        return where(y > like(y, 0), like(y, 1), a)

    def hard_sigmoid(x, a, b, c):
        y = x * like(x, 1 / 6) + like(x, 0.5)
        return where(y < like(x, 0), like(x, 0), where(y > like(x, 1), like(x, 1), y))

    def hard_sigmoid_gradient(y, a, b, c):
        return where((y > like(y, 0)) & (y < like(y, 1)), like(y, 1 / 6), like(y, 0))

    def hard_silu(x, a, b, c):
        return x * hard_sigmoid_of(x, a, b, c)

    def hard_silu_gradient(x, a, b, c):
        inside = (x > like(x, -3)) & (x < like(x, 3))
        return hard_sigmoid_of(x, a, b, c) + where(inside, x * like(x, 1 / 6), like(x, 0))

    def hard_tanh(x, a, b, c):
        return where(x < like(x, -1), like(x, -1), where(x > like(x, 1), like(x, 1), x))

    def hard_tanh_gradient(y, a, b, c):
        return where((y > like(y, -1)) & (y < like(y, 1)), like(y, 1), like(y, 0))

    def soft_shrink(x, a, b, c):
        return where(x > a, x - a, where(x < -a, x + a, x * like(x, 0)))

    def hard_shrink(x, a, b, c):
        return where((x > a) | (x < -a), x, x * like(x, 0))

    def shrink_gradient(x, a, b, c):
        return where((x > a) | (x < -a), like(x, 1), like(x, 0))

    hard_sigmoid_of = m.function(hard_sigmoid)
    return {
        "affine": (affine, affine_gradient),
        "relu": (relu, relu_gradient),
        "relu6": (relu6, relu6_gradient),
        "leaky_relu": (leaky_relu, leaky_relu_gradient),
        "hard_sigmoid": (hard_sigmoid, hard_sigmoid_gradient),
        "hard_silu": (hard_silu, hard_silu_gradient),
        "hard_tanh": (hard_tanh, hard_tanh_gradient),
        "soft_shrink": (soft_shrink, shrink_gradient),
        "hard_shrink": (hard_shrink, shrink_gradient),
    }


def _exponential(m: Any) -> dict[str, tuple[Any, Any]]:
    """Activations whose gradient comes from an exponential in their output."""
    like, where = m.like, m.where
    exp, expm1, log1p, tanh, sigmoid = m.exp, m.expm1, m.log1p, m.tanh, m.sigmoid

    def elu(x, a, b, c):
        return where(x > like(x, 0), x, a * expm1(x))

    def elu_gradient(y, a, b, c):
        return where(y > like(y, 0), like(y, 1), y + a)

    def celu(x, a, b, c):
        return where(x > like(x, 0), x, a * expm1(x / a))

    def celu_gradient(y, a, b, c):
        return where(y > like(y, 0), like(y, 1), y / a + like(y, 1))

    def selu(x, a, b, c):
        low = like(x, _SELU_SCALE * _SELU_ALPHA) * expm1(x)
        return where(x > like(x, 0), like(x, _SELU_SCALE) * x, low)

    def selu_gradient(y, a, b, c):
        return where(y > like(y, 0), like(y, _SELU_SCALE), y + like(y, _SELU_SCALE * _SELU_ALPHA))

    def exponential(x, a, b, c):
        return exp(x)

    def exponential_gradient(y, a, b, c):
        return y

    def sigmoid_itself(x, a, b, c):
        return sigmoid(x)

    def sigmoid_gradient(y, a, b, c):
        return y * (like(y, 1) - y)

    def log_sigmoid(x, a, b, c):
        size = where(x < like(x, 0), -x, x)
        return where(x < like(x, 0), x, like(x, 0)) - log1p(exp(-size))

    def log_sigmoid_gradient(y, a, b, c):
        return -expm1(y)

    def softplus(x, a, b, c):
        size = where(x < like(x, 0), -x, x)
        return where(x > like(x, 0), x, like(x, 0)) + log1p(exp(-size))

    def softplus_gradient(y, a, b, c):
        return -expm1(-y)

    def tanh_itself(x, a, b, c):
        return tanh(x)

    def tanh_gradient(y, a, b, c):
        return (like(y, 1) - y) * (like(y, 1) + y)

    def softsign(x, a, b, c):
        return x / (like(x, 1) + where(x < like(x, 0), -x, x))

    def softsign_gradient(y, a, b, c):
        rest = like(y, 1) - where(y < like(y, 0), -y, y)
        return rest * rest

    return {
        "elu": (elu, elu_gradient),
        "celu": (celu, celu_gradient),
        "selu": (selu, selu_gradient),
        "exponential": (exponential, exponential_gradient),
        "sigmoid": (sigmoid_itself, sigmoid_gradient),
        "log_sigmoid": (log_sigmoid, log_sigmoid_gradient),
        "softplus": (softplus, softplus_gradient),
        "tanh": (tanh_itself, tanh_gradient),
        "softsign": (softsign, softsign_gradient),
    }


def _smooth(m: Any) -> dict[str, tuple[Any, Any]]:
    """Activations that are no monotonous function: their gradient needs the input."""
    like, where = m.like, m.where
    exp, sqrt, tanh, sigmoid, erf = m.exp, m.sqrt, m.tanh, m.sigmoid, m.erf
    # Of GELU by tanh; Hendrycks & Gimpel, arXiv:1606.08415.
    slope, cubic = math.sqrt(2 / math.pi), 0.044715

    def gelu(x, a, b, c):
        return like(x, 0.5) * x * (like(x, 1) + erf(x * like(x, math.sqrt(0.5))))

    def gelu_gradient(x, a, b, c):
        half = like(x, 0.5)
        density = like(x, 1 / math.sqrt(2 * math.pi)) * exp(-half * x * x)
        return half * (like(x, 1) + erf(x * like(x, math.sqrt(0.5)))) + x * density

    def gelu_tanh(x, a, b, c):
        inner = like(x, slope) * (x + like(x, cubic) * x * x * x)
        return like(x, 0.5) * x * (like(x, 1) + tanh(inner))

    def gelu_tanh_gradient(x, a, b, c):
        one, half = like(x, 1), like(x, 0.5)
        t = tanh(like(x, slope) * (x + like(x, cubic) * x * x * x))
        inner = like(x, slope) * (one + like(x, 3 * cubic) * x * x)
        return half * (one + t) + half * x * (one - t * t) * inner

    def silu(x, a, b, c):
        return x * sigmoid(x)

    def silu_gradient(x, a, b, c):
        s = sigmoid(x)
        return s * (like(x, 1) + x * (like(x, 1) - s))

    # tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = exp(x); from x = 20 on it is 1.
    def mish(x, a, b, c):
        e = exp(where(x > like(x, 20), like(x, 20), x))
        n = e * (e + like(x, 2))
        return x * (n / (n + like(x, 2)))

    def mish_gradient(x, a, b, c):
        e = exp(where(x > like(x, 20), like(x, 20), x))
        n, above = e * (e + like(x, 2)), e + like(x, 1)
        below = n + like(x, 2)
        inverse = like(x, 1) / (below * above)  # one division for two
        t = n * above * inverse
        return t + x * (like(x, 1) - t * t) * (e * below * inverse)

    def squareplus(x, a, b, c):
        return like(x, 0.5) * (x + sqrt(x * x + a))

    def squareplus_gradient(x, a, b, c):
        return like(x, 0.5) * (like(x, 1) + x / sqrt(x * x + a))

    def tanh_shrink(x, a, b, c):
        return x - tanh(x)

    def tanh_shrink_gradient(x, a, b, c):
        t = tanh(x)
        return t * t

    return {
        "gelu": (gelu, gelu_gradient),
        "gelu_tanh": (gelu_tanh, gelu_tanh_gradient),
        "silu": (silu, silu_gradient),
        "mish": (mish, mish_gradient),
        "squareplus": (squareplus, squareplus_gradient),
        "tanh_shrink": (tanh_shrink, tanh_shrink_gradient),
    }
