"""The optimizers' steps on the CPU, in place: one pass over memory, each share is a run of
elements.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import elementwise, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of


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
