"""The textbook's way in plain NumPy: windows copied into a matrix, and one BLAS product per pass."""

import numpy as np

from benchmarks.peers.catalogue import Model

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def build(name, weights, threads):
    parameters = [weight.copy() for weight in weights]
    momenta = [np.zeros_like(weight) for weight in parameters]
    velocities = [np.zeros_like(weight) for weight in parameters]
    steps = 0

    def predict(x):
        return _softmax(_forward(parameters, x)[0])

    def train(x, labels):
        nonlocal steps
        steps += 1
        logits, remembered = _forward(parameters, x)
        dlogits, rows = _softmax(logits), np.arange(len(x))
        loss = -np.log(dlogits[rows, labels]).mean()
        dlogits[rows, labels] -= 1
        gradients = _backward(parameters, dlogits / np.float32(len(x)), remembered)
        alpha = np.float32(RATE * np.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps))
        for w, g, m, v in zip(parameters, gradients, momenta, velocities, strict=True):
            m += (g - m) * np.float32(1 - BETA_1)
            v += (g * g - v) * np.float32(1 - BETA_2)
            w -= alpha * m / (np.sqrt(v) + np.float32(EPSILON))
        return float(loss)

    return Model(np.__version__, lambda x: x, predict, train)


def _forward(parameters, x):
    """(logits, what the way back needs)."""
    remembered = []
    for k in range(3):
        weight, bias = parameters[2 * k : 2 * k + 2]
        windows = _im2col(x)
        y = np.maximum(windows @ weight.reshape(-1, weight.shape[-1]) + bias, 0)
        remembered.append((x.shape, windows, y))
        x = _max_pool(y) if k < 2 else y
    flat = x.reshape(len(x), -1)
    hidden = np.maximum(flat @ parameters[6] + parameters[7], 0)
    return hidden @ parameters[8] + parameters[9], (remembered, flat, hidden)


def _backward(parameters, dlogits, remembered):
    """The gradient of each parameter, in their order."""
    convolutions, flat, hidden = remembered
    gradients = [hidden.T @ dlogits, dlogits.sum(0)]
    dhidden = (dlogits @ parameters[8].T) * (hidden > 0)
    gradients = [flat.T @ dhidden, dhidden.sum(0), *gradients]
    dy = (dhidden @ parameters[6].T).reshape(convolutions[-1][2].shape)
    for k in (2, 1, 0):
        x_shape, windows, y = convolutions[k]
        if k < 2:
            dy = _max_pool_backward(dy, y)
        dy = (dy * (y > 0)).reshape(-1, y.shape[-1])
        weight = parameters[2 * k]
        dweight = windows.reshape(len(dy), -1).T @ dy
        gradients = [dweight.reshape(weight.shape), dy.sum(0), *gradients]
        if k:
            dwindows = dy @ weight.reshape(-1, weight.shape[-1]).T
            dy = _col2im(dwindows.reshape(*y.shape[:3], 3, 3, -1), x_shape)
    return gradients


def _im2col(x):
    """Each 3x3 window of the images as a row: (N, H, W, C) to (N, H - 2, W - 2, 9 C)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    N, OH, OW, C = windows.shape[:4]
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(N, OH, OW, 9 * C)


def _col2im(dwindows, shape):
    """The sum at each pixel of its places in the windows."""
    _, OH, OW = dwindows.shape[:3]
    dx = np.zeros(shape, np.float32)
    for h in range(3):
        for w in range(3):
            dx[:, h : h + OH, w : w + OW] += dwindows[:, :, :, h, w]
    return dx


def _max_pool(x):
    return np.maximum.reduce(_corners(x))


def _max_pool_backward(dy, x):
    """Each dy at the first maximum of its window."""
    y, dx = _max_pool(x), np.zeros_like(x)
    for corner, target in zip(_corners(x), _corners(dx), strict=True):
        chosen = corner == y
        target[...] = dy * chosen
        dy = dy * ~chosen
    return dx


def _corners(x):
    """Views of the four pixels of each 2x2 window."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return [x[:, h:height:2, w:width:2] for h in (0, 1) for w in (0, 1)]


def _softmax(logits):
    exp = np.exp(logits - logits.max(1, keepdims=True))
    return exp / exp.sum(1, keepdims=True)
