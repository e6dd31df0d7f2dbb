"""Two arrays made one, element by element as NumPy broadcasts them; arrays side by side."""

import numpy as np

_FUNCTIONS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "prelu": lambda a, b, out: np.copyto(out, np.where(a > 0, a, a * b)),
}


def merge(a, b, name, g, y):
    """The function of that name."""
    _FUNCTIONS[name](a, b, out=y)


def merge_backward(dy, a, b, name, g, da):
    """The gradient with respect to a, summed where a's one element stood for many; prelu_slope's is prelu's for b."""
    if name == "multiply":
        factor = np.broadcast_to(b, dy.shape)
    elif name == "prelu":
        factor = np.where(a > 0, 1, np.where(a < 0, b, 0))
    elif name == "prelu_slope":
        factor = np.where(b < 0, b, 0)
    else:
        first = a > b if name == "maximum" else a < b
        factor = first + 0.5 * (a == b)
    sum_to(dy * factor, 1.0, g, da)


def sum_to(dy, scale, g, da):
    """dy, summed where a's one element stood for many, times a number."""
    axes = tuple(i for i in range(4) if g.a[i] != dy.shape[i])
    da[...] = scale * dy.sum(axes, keepdims=True)


def put_columns(x, g, y):
    """Rows into their place among longer ones."""
    y[:, g.start : g.start + g.K] = x


def take_columns(y, g, x):
    """Rows from their place among longer ones."""
    x[...] = y[:, g.start : g.start + g.K]
