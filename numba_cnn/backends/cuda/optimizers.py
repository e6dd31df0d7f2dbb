"""The optimizers' steps in place, one thread a parameter; every constant arrives in the dtype of
the parameters.
"""

import math
from functools import lru_cache
from types import SimpleNamespace

from numba_cnn.backends import updates
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.activations import words
from numba_cnn.backends.cuda.launch import launch_each, launch_elementwise
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store

_PART = 1 << 8  # elements of a norm that one thread adds up


@checked
def sgd(parameter, gradient, velocity, learning_rate, momentum, nesterov):
    kind = parameter.dtype.type
    if velocity is None:
        launch_elementwise(sgd_kernel, parameter, gradient, kind(learning_rate))
    else:
        kernel = nesterov_kernel if nesterov else momentum_kernel
        constants = kind(learning_rate), kind(momentum)
        launch_elementwise(kernel, parameter, gradient, velocity, *constants)


@checked
def rmsprop(parameter, gradient, velocity, learning_rate, rho, epsilon):
    constants = map(parameter.dtype.type, (learning_rate, rho, 1 - rho, epsilon))
    launch_elementwise(rmsprop_kernel, parameter, gradient, velocity, *constants)


@checked
def adam(parameter, gradient, momentum, velocity, alpha, beta_1, beta_2, epsilon):
    constants = map(parameter.dtype.type, (alpha, 1 - beta_1, 1 - beta_2, epsilon))
    launch_elementwise(adam_kernel, parameter, gradient, momentum, velocity, *constants)


@checked
def update(parameter, gradient, first, second, third, rule, constants):
    state = (first, second, third)[: updates.STATE[rule]]
    constants = map(parameter.dtype.type, updates.padded(constants))
    kernel = update_kernel(rule, parameter.dtype)
    launch_elementwise(kernel, parameter, gradient, *state, *constants)


@checked
def add_norms(x, of_sizes, of_squares, total):
    parts, kind = empty((-(-x.size // _PART),), x.dtype), x.dtype.type
    launch_each(norms_kernel, parts.size, x, kind(of_sizes), kind(of_squares), parts)
    launch_each(add_parts_kernel, 1, parts, total)


@checked
def clip_by_norm(x, squares, limit):
    launch_each(clip_by_norm_kernel, x.size, x, squares, x.dtype.type(limit))


@jit
def sgd_kernel(parameter, gradient, learning_rate):
    i = cuda.grid(1)
    if i < parameter.size:
        store(parameter, i, load(parameter, i) - learning_rate * load(gradient, i))


@jit
def momentum_kernel(parameter, gradient, velocity, learning_rate, momentum):
    i = cuda.grid(1)
    if i < parameter.size:
        v = momentum * load(velocity, i) - learning_rate * load(gradient, i)
        store(velocity, i, v)
        store(parameter, i, load(parameter, i) + v)


@jit
def nesterov_kernel(parameter, gradient, velocity, learning_rate, momentum):
    i = cuda.grid(1)
    if i < parameter.size:
        step = learning_rate * load(gradient, i)
        v = momentum * load(velocity, i) - step
        store(velocity, i, v)
        store(parameter, i, load(parameter, i) + momentum * v - step)


@jit
def rmsprop_kernel(parameter, gradient, velocity, learning_rate, rho, rest, epsilon):
    i = cuda.grid(1)
    if i < parameter.size:
        g = load(gradient, i)
        v = rho * load(velocity, i) + rest * g * g
        store(velocity, i, v)
        store(parameter, i, load(parameter, i) - learning_rate * g / math.sqrt(v + epsilon))


@jit
def adam_kernel(parameter, gradient, momentum, velocity, alpha, rest_1, rest_2, epsilon):
    i = cuda.grid(1)
    if i < parameter.size:
        g, m, v = load(gradient, i), load(momentum, i), load(velocity, i)
        m += (g - m) * rest_1
        v += (g * g - v) * rest_2
        store(momentum, i, m)
        store(velocity, i, v)
        store(parameter, i, load(parameter, i) - m * alpha / (math.sqrt(v) + epsilon))


@lru_cache
def _rules(dtype):
    return updates.build(SimpleNamespace(**words(dtype), function=device))


@lru_cache
def update_kernel(rule, dtype):
    """The kernel of one of updates.py's functions."""
    return _KERNELS[updates.STATE[rule]](_rules(dtype)[rule])


def _kernel_0(rule):
    @jit
    def update_kernel(w, g, a, b, c, d, e):
        i = cuda.grid(1)
        if i < w.size:
            store(w, i, rule(load(w, i), load(g, i), a, b, c, d, e)[0])

    return update_kernel


def _kernel_1(rule):
    @jit
    def update_kernel(w, g, s, a, b, c, d, e):
        i = cuda.grid(1)
        if i < w.size:
            made, first = rule(load(w, i), load(g, i), load(s, i), a, b, c, d, e)
            store(w, i, made)
            store(s, i, first)

    return update_kernel


def _kernel_2(rule):
    @jit
    def update_kernel(w, g, s, t, a, b, c, d, e):
        i = cuda.grid(1)
        if i < w.size:
            state = load(s, i), load(t, i)
            made, first, second = rule(load(w, i), load(g, i), state[0], state[1], a, b, c, d, e)
            store(w, i, made)
            store(s, i, first)
            store(t, i, second)

    return update_kernel


def _kernel_3(rule):
    @jit
    def update_kernel(w, g, s, t, u, a, b, c, d, e):
        i = cuda.grid(1)
        if i < w.size:
            x, y, z = load(s, i), load(t, i), load(u, i)
            made, x, y, z = rule(load(w, i), load(g, i), x, y, z, a, b, c, d, e)
            store(w, i, made)
            store(s, i, x)
            store(t, i, y)
            store(u, i, z)

    return update_kernel


_KERNELS = _kernel_0, _kernel_1, _kernel_2, _kernel_3  # by the number of arrays of state


@jit
def norms_kernel(x, of_sizes, of_squares, parts):
    """The norms of each part."""
    part = cuda.grid(1)
    if part < parts.size:
        total = parts.dtype.type(0)
        for i in range(part * _PART, min((part + 1) * _PART, x.size)):
            value = load(x, i)
            total += of_sizes * math.fabs(value) + of_squares * (value * value)
        store(parts, part, total)


@jit
def add_parts_kernel(parts, total):
    i = cuda.grid(1)
    if i == 0:
        whole = total[()]
        for part in range(parts.size):
            whole += load(parts, part)
        total[()] = whole


@jit
def clip_by_norm_kernel(x, squares, limit):
    i = cuda.grid(1)
    if i < x.size:
        norm = math.sqrt(squares[()])
        longer = limit if norm <= limit else norm
        store(x, i, load(x, i) * (limit / longer))
