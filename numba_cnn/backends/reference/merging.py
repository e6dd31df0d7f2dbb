"""Arrays of one shape, element by element; and one that is repeated along axes of extent 1."""

import numpy as np

_FUNCTIONS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def combine(a, b, name, y):
    """y = name(a, b)."""
    y[...] = _FUNCTIONS[name](a, b)


def combine_backward(dy, a, b, name, da, db):
    """The gradients of both; of the larger of two equal ones each takes half, as Keras's do."""
    if name in ("add", "subtract"):
        da[...], db[...] = dy, dy if name == "add" else -dy
    elif name == "multiply":
        da[...], db[...] = dy * b, dy * a
    else:
        first = (a > b if name == "maximum" else a < b) + 0.5 * (a == b)
        da[...] = dy * first
        db[...] = dy * (1 - first)


def repeat(x, y):
    """x along the axes where its extent is 1 and y's is not; four axes."""
    y[...] = x


def repeat_backward(dy, dx):
    """The sums of dy over these axes."""
    axes = tuple(i for i in range(4) if dx.shape[i] == 1)
    dx[...] = dy.sum(axes, keepdims=True)
