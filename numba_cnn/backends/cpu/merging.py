"""Arrays of one shape on the CPU, element by element; and one that is repeated along axes of extent 1."""

from functools import cache

import numpy as np
from numba import from_dtype, types

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, call
from numba_cnn.backends.cpu.codegen.elementary import select
from numba_cnn.backends.cpu.runtime.launch import elementwise, kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for


@checked
def combine(a, b, name, y):
    _combine(a, b, y, _loop(name, a.dtype))


@checked
def combine_backward(dy, a, b, name, da, db):
    _combine_backward(dy, a, b, da, db, _gradient_loop(name, dy.dtype))


@checked
def repeat(x, y):
    _repeat(threads_for(y.size), x.reshape(-1), _steps(x.shape, y.shape), y.shape, y.reshape(-1))


@checked
def repeat_backward(dy, dx):
    steps = _steps(dx.shape, dy.shape)
    _repeat_backward(
        threads_for(dy.size), dy.reshape(-1), dy.shape, dx.shape, steps, dx.reshape(-1)
    )


def _steps(small, large):
    """How many elements of the smaller array lie between neighbours along each axis of the larger one."""
    steps, step = [], 1
    for extent in small[::-1]:
        steps.append(0 if extent == 1 else step)
        step *= extent
    return tuple(steps[::-1])


@elementwise
def _combine(share, shares, thread, packed):
    a, b, y, loop = unpack(packed)
    call(loop, (run_of(share, shares, a), run_of(share, shares, b), run_of(share, shares, y)))


@elementwise
def _combine_backward(share, shares, thread, packed):
    dy, a, b, da, db, loop = unpack(packed)
    inputs = run_of(share, shares, dy), run_of(share, shares, a), run_of(share, shares, b)
    call(loop, (*inputs, run_of(share, shares, da), run_of(share, shares, db)))


@kernel
def _repeat(share, shares, thread, packed):
    """Each share is rows of channels of y."""
    x, steps, shape, y = unpack(packed)
    N, H, W, C = shape
    n_step, h_step, w_step, c_step = steps
    for row in range(share * N * H * W // shares, (share + 1) * N * H * W // shares):
        start = row // (H * W) * n_step + row // W % H * h_step + row % W * w_step
        for c in range(C):
            y[row * C + c] = x[start + c * c_step]


@kernel
def _repeat_backward(share, shares, thread, packed):
    """Each share is elements of dx, which sum what was made of them, in the order of memory."""
    dy, shape, small, steps, dx = unpack(packed)
    N, H, W, C = shape
    _, h1, w1, c1 = small
    n_step, h_step, w_step, c_step = steps
    for i in range(share * dx.size // shares, (share + 1) * dx.size // shares):
        n, h, w, c = i // (h1 * w1 * c1), i // (w1 * c1) % h1, i // c1 % w1, i % c1
        n0, n1 = (0, N) if n_step == 0 else (n, n + 1)
        i0, i1 = (0, H) if h_step == 0 else (h, h + 1)
        j0, j1 = (0, W) if w_step == 0 else (w, w + 1)
        k0, k1 = (0, C) if c_step == 0 else (c, c + 1)
        total = np.float64(0)
        for a in range(n0, n1):
            for b in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        total += dy[((a * H + b) * W + j) * C + k]
        dx[i] = total


@cache
def _loop(name, dtype):
    """The address of the loop of a function, compiled or read from the cache at the first call."""
    if name == "add":

        def loop(a, b, y):
            for i in range(a.size):
                y[i] = a[i] + b[i]

    elif name == "subtract":

        def loop(a, b, y):
            for i in range(a.size):
                y[i] = a[i] - b[i]

    elif name == "multiply":

        def loop(a, b, y):
            for i in range(a.size):
                y[i] = a[i] * b[i]

    elif name == "maximum":

        def loop(a, b, y):
            for i in range(a.size):
                y[i] = select((a[i] > b[i]) | (a[i] != a[i]), a[i], b[i])

    else:

        def loop(a, b, y):
            for i in range(a.size):
                y[i] = select((a[i] < b[i]) | (a[i] != a[i]), a[i], b[i])

    return _address(loop, f"combine_{name}", dtype, arrays=3)


@cache
def _gradient_loop(name, dtype):
    if name in ("add", "subtract"):
        sign = np.dtype(dtype).type(1 if name == "add" else -1)

        def loop(dy, a, b, da, db):
            for i in range(dy.size):
                da[i], db[i] = dy[i], sign * dy[i]

    elif name == "multiply":

        def loop(dy, a, b, da, db):
            for i in range(dy.size):
                x, y = a[i], b[i]
                da[i], db[i] = dy[i] * y, dy[i] * x

    else:
        largest = name == "maximum"
        half, one, zero = (np.dtype(dtype).type(value) for value in (0.5, 1, 0))

        def loop(dy, a, b, da, db):
            for i in range(dy.size):
                x, y = a[i], b[i]
                wins = x > y if largest else x < y
                first = select(x == y, half, select(wins, one, zero))
                da[i], db[i] = dy[i] * first, dy[i] * (one - first)

    return _address(loop, f"combine_backward_{name}", dtype, arrays=5)


def _address(loop, name, dtype, arrays):
    loop.__name__ = loop.__qualname__ = (
        f"{name}_{np.dtype(dtype).name}"  # by which the cache keeps it
    )
    kind = from_dtype(np.dtype(dtype))
    return address_of(by_address(loop), (types.Array(kind, 1, "C"),) * arrays)
