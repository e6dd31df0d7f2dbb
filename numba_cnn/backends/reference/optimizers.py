"""The optimizers' steps, in place."""

import numpy as np


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
