"""The mathematics in NumPy, for any float dtype: the specification that every backend repeats, name
by name.

A kernel gets checked, contiguous arrays, the geometry that shapes.py worked out, and fills the
outputs, which come last. `y` before a `dy` gates it: where a fused ReLU gave 0 the gradient is 0;
None means that there was no ReLU.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numba_cnn import shapes


def conv2d(x, weight, bias, g, relu, algorithm, y):
    """Cross-correlation, then the bias, then ReLU where asked for."""
    windows = _windows(_padded(x, g), g)  # N, OH, OW, groups, C/groups, KH, KW
    filters = weight.reshape(g.KH, g.KW, g.C // g.groups, g.groups, g.F // g.groups)
    y[...] = np.einsum("nhwgcij,ijcgf->nhwgf", windows, filters, optimize=True).reshape(g.y)
    if bias is not None:
        y += bias
    if relu:
        y *= ~(y <= 0)  # NaN goes through


def conv2d_backward_input(dy, y, weight, g, algorithm, dx):
    """The gradient of conv2d with respect to x: each dy spread over the window it came from."""
    dy = _gated(dy, y).reshape(g.N, g.OH, g.OW, g.groups, g.F // g.groups)
    filters = weight.reshape(g.KH, g.KW, g.C // g.groups, g.groups, g.F // g.groups)
    padded = np.zeros((g.N, g.H + g.top + g.bottom, g.W + g.left + g.right, g.C), dx.dtype)
    for kh in range(g.KH):
        for kw in range(g.KW):
            rows = slice(kh * g.DH, kh * g.DH + g.OH * g.SH, g.SH)
            columns = slice(kw * g.DW, kw * g.DW + g.OW * g.SW, g.SW)
            spread = np.einsum("nhwgf,cgf->nhwgc", dy, filters[kh, kw], optimize=True)
            padded[:, rows, columns] += spread.reshape(g.N, g.OH, g.OW, g.C)
    dx[...] = padded[:, g.top : g.top + g.H, g.left : g.left + g.W]


def conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias):
    """The gradients of conv2d with respect to its filters and its bias."""
    dy = _gated(dy, y)
    windows = _windows(_padded(x, g), g)
    grouped = dy.reshape(g.N, g.OH, g.OW, g.groups, g.F // g.groups)
    dweight[...] = np.einsum("nhwgcij,nhwgf->ijcgf", windows, grouped, optimize=True).reshape(
        g.weight
    )
    dbias[...] = dy.sum((0, 1, 2))


def conv2d_max_pool2d(x, weight, bias, g, relu, algorithm, y, argmax):
    """conv2d, then the maximum of each 2x2 of its output, whose extents are even; no more than that is stored."""
    g, pool = shapes.pooled(g)
    whole = np.empty(g.y, y.dtype)
    conv2d(x, weight, bias, g, relu, algorithm, whole)
    max_pool2d(whole, pool, y, argmax)


def conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias):
    """The gradients of conv2d_max_pool2d; dx may be None."""
    g, pool = shapes.pooled(g)
    whole = np.empty(g.y, dy.dtype)
    max_pool2d_backward(_gated(dy, y), argmax, pool, whole)
    if dx is not None:
        conv2d_backward_input(whole, None, weight, g, algorithm, dx)
    conv2d_backward_weight(whole, None, x, g, algorithm, dweight, dbias)


def relu(x, y):
    """max(x, 0); NaN goes through."""
    y[...] = np.where(x <= 0, 0, x)


def relu_backward(dy, y, dx):
    """dy where the output is positive; 0 at 0, as in TensorFlow."""
    dx[...] = _gated(dy, y)


def max_pool2d(x, g, y, argmax):
    """The maximum of each window and its place kh * PW + kw; the first maximum wins, NaN beats every number."""
    padded = np.pad(
        x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)), constant_values=-np.inf
    )
    inside = np.pad(np.ones((g.H, g.W), bool), ((g.top, g.bottom), (g.left, g.right)))
    windows = sliding_window_view(padded, (g.PH, g.PW), (1, 2))[:, :: g.SH, :: g.SW].reshape(
        *g.y, -1
    )
    pixels = sliding_window_view(inside, (g.PH, g.PW))[:: g.SH, :: g.SW].reshape(g.OH, g.OW, 1, -1)
    order = np.where(np.isnan(windows), 2, windows == windows.max(-1, keepdims=True)) * pixels
    argmax[...] = order.argmax(-1)
    y[...] = np.take_along_axis(windows, argmax[..., None].astype(np.intp), -1)[..., 0]


def max_pool2d_backward(dy, argmax, g, dx):
    """Each dy goes to the pixel that was its window's maximum; overlapping windows add up."""
    padded = np.zeros((g.N, g.H + g.top + g.bottom, g.W + g.left + g.right, g.C), dx.dtype)
    for kh in range(g.PH):
        for kw in range(g.PW):
            rows, columns = slice(kh, kh + g.OH * g.SH, g.SH), slice(kw, kw + g.OW * g.SW, g.SW)
            padded[:, rows, columns] += dy * (argmax == kh * g.PW + kw)
    dx[...] = padded[:, g.top : g.top + g.H, g.left : g.left + g.W]


def dense(x, weight, bias, relu, y):
    """x @ weight, then the bias, then ReLU where asked for."""
    np.matmul(x, weight, out=y)
    if bias is not None:
        y += bias
    if relu:
        y *= ~(y <= 0)


def dense_backward_input(dy, y, weight, dx):
    """The gradient of dense with respect to x."""
    np.matmul(_gated(dy, y), weight.T, out=dx)


def dense_backward_weight(dy, y, x, dweight, dbias):
    """The gradients of dense with respect to its weight and its bias."""
    dy = _gated(dy, y)
    np.matmul(x.T, dy, out=dweight)
    dbias[...] = dy.sum(0)


def softmax(x, y):
    """exp(x) over its sum along the last axis, with the maximum taken off first."""
    np.exp(x - x.max(-1, keepdims=True), out=y)
    y /= y.sum(-1, keepdims=True)


def sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits):
    """The mean over the batch of -log softmax(logits)[label] times the sample's weight, and its gradient."""
    N = len(labels)
    weights = np.ones(N, logits.dtype) if sample_weight is None else sample_weight
    softmax(logits, dlogits)
    shifted = logits - logits.max(-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(-1))
    loss[...] = (weights * (log_sum - shifted[np.arange(N), labels])).sum() / N
    dlogits[np.arange(N), labels] -= 1
    dlogits *= (weights / N)[:, None]


def sparse_categorical_accuracy(logits, labels, accuracy):
    """The share of the batch whose largest logit is the label's; the first largest counts."""
    accuracy[...] = (logits.argmax(-1) == labels).mean()


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


def _padded(x, g):
    return np.pad(x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)))


def _windows(padded, g):
    """(N, OH, OW, groups, C/groups, KH, KW): the pixels under each filter, as a view."""
    extent = (g.DH * (g.KH - 1) + 1, g.DW * (g.KW - 1) + 1)
    windows = sliding_window_view(padded, extent, (1, 2))[:, :: g.SH, :: g.SW, :, :: g.DH, :: g.DW]
    windows = windows[:, : g.OH, : g.OW]
    N, OH, OW, C, KH, KW = windows.shape
    strides = windows.strides
    grouped = (strides[3] * (C // g.groups), strides[3])
    return np.lib.stride_tricks.as_strided(
        windows,
        (N, OH, OW, g.groups, C // g.groups, KH, KW),
        (*strides[:3], *grouped, *strides[4:]),
    )


def _gated(dy, y):
    return dy if y is None else np.where(y > 0, dy, 0)
