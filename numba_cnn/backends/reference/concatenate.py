"""Arrays side by side."""


def put_columns(x, g, y):
    """Rows into their place among longer ones."""
    y[:, g.start : g.start + g.K] = x


def take_columns(y, g, x, next_x):
    """Rows from their place among longer ones, and those that lie next to them."""
    end = g.start + g.K
    x[...] = y[:, g.start : end]
    if next_x is not None:
        next_x[...] = y[:, end : end + g.L]
