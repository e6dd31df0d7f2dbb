"""The optimizers' steps in place, one thread a parameter; every constant arrives in the dtype of
the parameters.
"""

import math

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_elementwise
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


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
