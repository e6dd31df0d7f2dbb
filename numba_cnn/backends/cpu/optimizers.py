"""The optimizers' steps on the CPU, in place: one pass over memory, each share is a run of
elements.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
from numba import from_dtype, types

from numba_cnn.backends import updates
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen import elementary
from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, call, noinline
from numba_cnn.backends.cpu.runtime.launch import elementwise, kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for

_PART = 1 << 12  # elements of a norm that are added up one after the other


@checked
def sgd(parameter, gradient, velocity, learning_rate, momentum, nesterov):
    number = parameter.dtype.type
    if velocity is None:
        _sgd(parameter, gradient, number(learning_rate))
    else:
        _sgd_momentum(
            parameter, gradient, velocity, number(learning_rate), number(momentum), bool(nesterov)
        )


@checked
def rmsprop(parameter, gradient, velocity, learning_rate, rho, epsilon):
    number = parameter.dtype.type
    _rmsprop(parameter, gradient, velocity, number(learning_rate), number(rho), number(epsilon))


@checked
def adam(parameter, gradient, momentum, velocity, alpha, beta_1, beta_2, epsilon):
    number = parameter.dtype.type
    rest_1, rest_2 = number(1 - beta_1), number(1 - beta_2)
    _adam(parameter, gradient, momentum, velocity, number(alpha), rest_1, rest_2, number(epsilon))


@checked
def update(parameter, gradient, first, second, third, rule, constants):
    number, state = parameter.dtype.type, (first, second, third)[: updates.STATE[rule]]
    constants = map(number, updates.padded(constants))
    loop = _loop(rule, parameter.dtype)
    _UPDATES[len(state)](parameter, gradient, *state, loop, *constants)


@checked
def add_norms(x, of_sizes, of_squares, total):
    parts, number = empty((-(-x.size // _PART),), x.dtype), x.dtype.type
    _norms(threads_for(x.size), x.reshape(-1), number(of_sizes), number(of_squares), parts)
    _add_parts(1, parts, total.reshape(1))


@checked
def clip_by_norm(x, squares, limit):
    _clip_by_norm(threads_for(x.size), x.reshape(-1), squares.reshape(1), x.dtype.type(limit))


@elementwise
def _sgd(share, shares, thread, packed):
    parameter, gradient, learning_rate = unpack(packed)
    parameter = run_of(share, shares, parameter)
    gradient = run_of(share, shares, gradient)
    for i in range(parameter.size):
        parameter[i] -= learning_rate * gradient[i]


@elementwise
def _sgd_momentum(share, shares, thread, packed):
    parameter, gradient, velocity, learning_rate, momentum, nesterov = unpack(packed)
    parameter = run_of(share, shares, parameter)
    gradient = run_of(share, shares, gradient)
    velocity = run_of(share, shares, velocity)
    for i in range(parameter.size):
        step = learning_rate * gradient[i]
        velocity[i] = momentum * velocity[i] - step
        parameter[i] += momentum * velocity[i] - step if nesterov else velocity[i]


@elementwise
def _rmsprop(share, shares, thread, packed):
    parameter, gradient, velocity, learning_rate, rho, epsilon = unpack(packed)
    rest = parameter.dtype.type(1) - rho
    parameter = run_of(share, shares, parameter)
    gradient = run_of(share, shares, gradient)
    velocity = run_of(share, shares, velocity)
    for i in range(parameter.size):
        velocity[i] = rho * velocity[i] + rest * gradient[i] * gradient[i]
        parameter[i] -= learning_rate * gradient[i] / np.sqrt(velocity[i] + epsilon)


@elementwise
def _adam(share, shares, thread, packed):
    parameter, gradient, momentum, velocity, alpha, rest_1, rest_2, epsilon = unpack(packed)
    parameter = run_of(share, shares, parameter)
    gradient = run_of(share, shares, gradient)
    momentum = run_of(share, shares, momentum)
    velocity = run_of(share, shares, velocity)
    for i in range(parameter.size):
        momentum[i] += (gradient[i] - momentum[i]) * rest_1
        velocity[i] += (gradient[i] * gradient[i] - velocity[i]) * rest_2
        parameter[i] -= momentum[i] * alpha / (np.sqrt(velocity[i]) + epsilon)


@elementwise
def _update_0(share, shares, thread, packed):
    w, g, loop, a, b, c, d, e = unpack(packed)
    call(loop, (run_of(share, shares, w), run_of(share, shares, g), a, b, c, d, e))


@elementwise
def _update_1(share, shares, thread, packed):
    w, g, s, loop, a, b, c, d, e = unpack(packed)
    runs = run_of(share, shares, w), run_of(share, shares, g), run_of(share, shares, s)
    call(loop, (*runs, a, b, c, d, e))


@elementwise
def _update_2(share, shares, thread, packed):
    w, g, s, t, loop, a, b, c, d, e = unpack(packed)
    runs = run_of(share, shares, w), run_of(share, shares, g), run_of(share, shares, s)
    call(loop, (*runs, run_of(share, shares, t), a, b, c, d, e))


@elementwise
def _update_3(share, shares, thread, packed):
    w, g, s, t, u, loop, a, b, c, d, e = unpack(packed)
    runs = run_of(share, shares, w), run_of(share, shares, g), run_of(share, shares, s)
    call(loop, (*runs, run_of(share, shares, t), run_of(share, shares, u), a, b, c, d, e))


_UPDATES = _update_0, _update_1, _update_2, _update_3  # by the number of arrays of state


@cache
def _rules():
    words = SimpleNamespace(
        like=elementary.like, where=elementary.select, sqrt=np.sqrt, exp=elementary.exp, log=elementary.log,
        function=noinline,
    )  # fmt: skip
    return updates.build(words)


@cache
def _loop(rule, dtype):
    """The address of the loop of a rule, compiled or read from the cache at the first call."""
    loop = _LOOPS[updates.STATE[rule]](_rules()[rule])
    loop.__name__ = loop.__qualname__ = rule  # by which the cache keeps it
    kind = from_dtype(np.dtype(dtype))
    arrays = [types.Array(kind, 1, "C")] * (2 + updates.STATE[rule])
    return address_of(by_address(loop), (*arrays, *[kind] * updates.CONSTANTS))


def _loop_0(rule):
    def loop(w, g, a, b, c, d, e):
        for i in range(w.size):
            w[i] = rule(w[i], g[i], a, b, c, d, e)[0]

    return loop


def _loop_1(rule):
    def loop(w, g, s, a, b, c, d, e):
        for i in range(w.size):
            w[i], s[i] = rule(w[i], g[i], s[i], a, b, c, d, e)

    return loop


def _loop_2(rule):
    def loop(w, g, s, t, a, b, c, d, e):
        for i in range(w.size):
            w[i], s[i], t[i] = rule(w[i], g[i], s[i], t[i], a, b, c, d, e)

    return loop


def _loop_3(rule):
    def loop(w, g, s, t, u, a, b, c, d, e):
        for i in range(w.size):
            w[i], s[i], t[i], u[i] = rule(w[i], g[i], s[i], t[i], u[i], a, b, c, d, e)

    return loop


_LOOPS = _loop_0, _loop_1, _loop_2, _loop_3


@kernel
def _norms(share, shares, thread, packed):
    """The norms of each part, whose bounds do not hang on the number of shares."""
    x, of_sizes, of_squares, parts = unpack(packed)
    count = parts.size
    for part in range(share * count // shares, (share + 1) * count // shares):
        sizes, squares = np.float64(0), np.float64(0)
        for value in x[part * _PART : (part + 1) * _PART]:
            sizes += np.float64(abs(value))
            squares += np.float64(value) * np.float64(value)
        parts[part] = of_sizes * sizes + of_squares * squares


@kernel
def _add_parts(share, shares, thread, packed):
    parts, total = unpack(packed)
    whole = np.float64(total[0])
    for part in parts:
        whole += part
    total[0] = whole


@kernel
def _clip_by_norm(share, shares, thread, packed):
    x, squares, limit = unpack(packed)
    x, norm = run_of(share, shares, x), np.sqrt(squares[0])
    factor = limit / (limit if norm <= limit else norm)
    for i in range(x.size):
        x[i] *= factor
