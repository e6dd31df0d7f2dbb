"""Products of rows, for each sample by itself."""


def batch_dot(a, b, y):
    """y[n, i, j] = the sum over k of a[n, i, k] b[n, j, k]."""
    y[...] = a @ b.swapaxes(1, 2)
