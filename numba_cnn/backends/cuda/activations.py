"""Activations and their gradients, one thread an element; each is a kernel of its own."""

import math
from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import scalars
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_elementwise
from numba_cnn.backends.cuda.provider import COMPILER, cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def activate(x, name, a, b, c, y):
    launch_elementwise(activate_kernel(name, x.dtype), x, y, *map(x.dtype.type, (a, b, c)))


@checked
def activate_backward(dy, saved, name, a, b, c, dx):
    kernel = activate_backward_kernel(name, dy.dtype)
    launch_elementwise(kernel, dy, saved, dx, *map(dy.dtype.type, (a, b, c)))


@lru_cache
def activate_kernel(name, dtype):
    function = _activations(dtype)[name].function

    @jit
    def activate_kernel(x, y, a, b, c):
        i = cuda.grid(1)
        if i < x.size:
            store(y, i, function(load(x, i), a, b, c))

    return activate_kernel


@lru_cache
def activate_backward_kernel(name, dtype):
    gradient = _activations(dtype)[name].gradient

    @jit
    def activate_backward_kernel(dy, saved, dx, a, b, c):
        i = cuda.grid(1)
        if i < dy.size:
            store(dx, i, load(dy, i) * gradient(load(saved, i), a, b, c))

    return activate_backward_kernel


@lru_cache
def _activations(dtype):
    """scalars.py's functions for numbers of that dtype."""
    return scalars.build(SimpleNamespace(**words(dtype), function=device))


@lru_cache
def words(dtype):
    """What scalars.py asks for, and log, by name, for numbers of that dtype."""
    kind = dtype.type
    names = "exp", "expm1", "log", "log1p", "sqrt", "tanh", "erf"
    functions = {name: _function(name, kind) for name in names}
    exp = functions["exp"]

    @device
    def like(x, v):
        return kind(v)

    @device
    def where(c, a, b):
        return a if c else b

    @device
    def sigmoid(x):
        """From e^-|x|, which cannot overflow."""
        e = exp(-math.fabs(x))
        high = like(x, 1) / (like(x, 1) + e)
        return e * high if x < like(x, 0) else high

    return {"like": like, "where": where, "sigmoid": sigmoid, **functions}


def _function(name, kind):
    """A function of math for kernels; where nothing compiles NumPy's, whose infinities are no errors."""
    of_math = getattr(math, name)
    if COMPILER:
        return device(lambda x: of_math(x))
    plain = getattr(np, name, of_math)

    def function(x):
        with np.errstate(all="ignore"):
            return kind(plain(x))

    return function
