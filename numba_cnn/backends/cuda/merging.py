"""Arrays of one shape, one thread an element; and one that is repeated along axes of extent 1."""

from functools import lru_cache

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each, launch_elementwise
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def combine(a, b, name, y):
    launch_elementwise(combine_kernel(name), a, b, y)


@checked
def combine_backward(dy, a, b, name, da, db):
    launch_elementwise(combine_backward_kernel(name), dy, a, b, da, db)


@checked
def repeat(x, y):
    launch_each(repeat_kernel, y.size, x, y)


@checked
def repeat_backward(dy, dx):
    launch_each(repeat_backward_kernel, dx.size, dy, dx)


@lru_cache
def combine_kernel(name):
    adds, subtracts, multiplies, largest = (
        name == word for word in ("add", "subtract", "multiply", "maximum")
    )

    @jit
    def combine_kernel(a, b, y):
        i = cuda.grid(1)
        if i < y.size:
            p, q = load(a, i), load(b, i)
            if adds:
                store(y, i, p + q)
            elif subtracts:
                store(y, i, p - q)
            elif multiplies:
                store(y, i, p * q)
            elif largest:
                store(y, i, p if p > q or p != p else q)
            else:
                store(y, i, p if p < q or p != p else q)

    return combine_kernel


@lru_cache
def combine_backward_kernel(name):
    adds, subtracts, multiplies, largest = (
        name == word for word in ("add", "subtract", "multiply", "maximum")
    )

    @jit
    def combine_backward_kernel(dy, a, b, da, db):
        i = cuda.grid(1)
        if i < dy.size:
            g, p, q = load(dy, i), load(a, i), load(b, i)
            zero = dy.dtype.type(0)
            if adds or subtracts:
                store(da, i, g)
                store(db, i, g if adds else -g)
            elif multiplies:
                store(da, i, g * q)
                store(db, i, g * p)
            elif p == q:
                store(da, i, dy.dtype.type(0.5) * g)
                store(db, i, dy.dtype.type(0.5) * g)
            else:
                first = p > q if largest else p < q
                store(da, i, g if first else zero)
                store(db, i, zero if first else g)

    return combine_backward_kernel


@jit
def repeat_kernel(x, y):
    i = cuda.grid(1)
    if i < y.size:
        _, H, W, C = y.shape
        n, h, w, c = i // (H * W * C), i // (W * C) % H, i // C % W, i % C
        N1, H1, W1, C1 = x.shape
        y[n, h, w, c] = x[
            n if N1 > 1 else 0, h if H1 > 1 else 0, w if W1 > 1 else 0, c if C1 > 1 else 0
        ]


@jit
def repeat_backward_kernel(dy, dx):
    """A thread adds up what was made of its element, in the order of memory."""
    i = cuda.grid(1)
    if i < dx.size:
        N, H, W, C = dy.shape
        N1, H1, W1, C1 = dx.shape
        n, h, w, c = i // (H1 * W1 * C1), i // (W1 * C1) % H1, i // C1 % W1, i % C1
        total = dx.dtype.type(0)
        for a in range(n if N1 > 1 else 0, n + 1 if N1 > 1 else N):
            for b in range(h if H1 > 1 else 0, h + 1 if H1 > 1 else H):
                for j in range(w if W1 > 1 else 0, w + 1 if W1 > 1 else W):
                    for k in range(c if C1 > 1 else 0, c + 1 if C1 > 1 else C):
                        total += dy[a, b, j, k]
        dx[n, h, w, c] = total
