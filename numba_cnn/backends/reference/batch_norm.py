"""Batch normalization of rows, each channel by itself."""

import numpy as np


def batch_norm(
    x, gamma, beta, moving_mean, moving_variance, momentum, epsilon, y, mean, inverse_deviation
):
    """By the batch's own mean and variance, which the moving ones follow."""
    mean[...] = x.mean(0)
    variance = ((x - mean) ** 2).mean(0)
    inverse_deviation[...] = 1 / np.sqrt(variance + epsilon)
    y[...] = (x - mean) * inverse_deviation * gamma + beta
    moving_mean[...] = moving_mean * momentum + mean * (1 - momentum)
    moving_variance[...] = moving_variance * momentum + variance * (1 - momentum)


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon, y):
    """By a mean and a variance that are given."""
    y[...] = (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def batch_norm_backward(dy, x, gamma, mean, inverse_deviation, dx, dgamma, dbeta):
    """The gradients of batch_norm; mean and variance depend on x."""
    normal = (x - mean) * inverse_deviation
    dgamma[...], dbeta[...] = (dy * normal).sum(0), dy.sum(0)
    dx[...] = gamma * inverse_deviation * (dy - (dbeta + normal * dgamma) / len(x))


def batch_norm_inference_backward(dy, x, gamma, mean, variance, epsilon, dx, dgamma, dbeta):
    """The gradients of batch_norm_inference."""
    inverse_deviation = 1 / np.sqrt(variance + epsilon)
    dgamma[...], dbeta[...] = (dy * (x - mean) * inverse_deviation).sum(0), dy.sum(0)
    dx[...] = dy * gamma * inverse_deviation
