"""Activations: scalars.py's functions, number by number."""

import math
from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import scalars


def _sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _exp(x):
    return float(np.exp(x))  # infinite where math's raises an error


_MATHEMATICS = SimpleNamespace(
    like=lambda x, v: float(v),
    where=lambda c, a, b: a if c else b,
    exp=_exp,
    expm1=lambda x: float(np.expm1(x)),
    log1p=math.log1p,
    sqrt=math.sqrt,
    tanh=math.tanh,
    sigmoid=_sigmoid,
    erf=math.erf,
    function=lambda f: f,
)
_ACTIVATIONS = scalars.build(_MATHEMATICS)


def activate(x, name, a, b, c, y):
    """The activation of each element."""
    _map(_ACTIVATIONS[name].function, x, a, b, c, y)


def activate_backward(dy, saved, name, a, b, c, dx):
    """dy times the gradient at what was saved: the input for those of scalars.OF_INPUT, else the output."""
    _map(_ACTIVATIONS[name].gradient, saved, a, b, c, dx)
    dx *= dy


def _map(function, x, a, b, c, y):
    with np.errstate(all="ignore"):
        y.flat = [function(float(value), a, b, c) for value in x.flat]
