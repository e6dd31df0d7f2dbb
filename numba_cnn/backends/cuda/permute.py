"""Arrays whose axes change places: one thread an element of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def permute(x, g, y):
    launch_each(permute_kernel, y.size, x, extents(g), y)


@jit
def permute_kernel(x, g, y):
    t = cuda.grid(1)
    if t < y.size:
        rest, n = t // g.D5, t % g.D5
        rest, m = rest // g.D4, rest % g.D4
        rest, l = rest // g.D3, rest % g.D3
        rest, k = rest // g.D2, rest % g.D2
        i, j = rest // g.D1, rest % g.D1
        place = i * g.S0 + j * g.S1 + k * g.S2 + l * g.S3 + m * g.S4 + n * g.S5
        store(y, t, load(x, place))
