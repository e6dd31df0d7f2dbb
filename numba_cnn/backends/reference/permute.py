"""Arrays whose axes change places."""

from numpy.lib.stride_tricks import as_strided


def permute(x, g, y):
    """The elements in the order of the new axes."""
    steps = [step * x.itemsize for step in g[6:]]
    y[...] = as_strided(x, tuple(g[:6]), steps).reshape(-1)
