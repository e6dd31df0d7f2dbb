"""A new op in every room: y = x * scale[c], with both gradients, on the CPU and on a GPU or its simulator.

In the library each part is a file, named above it; here they stand one below the other. With NUMBA_ENABLE_CUDASIM=1 in
the environment the GPU's kernels run without a GPU.
"""

import numpy as np

from numba_cnn import backends
from numba_cnn.backends import contract
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.rows import Op

# backends/contract.py: what the functions of all three folders take, outputs last.

contract.ROWS |= {
    "scale_channels": Op("scale_channels", x="R C", scale="C", y="R C"),
    "scale_channels_backward": Op(
        "scale_channels", dy="R C", x="R C", scale="C", dx="R C", dscale="C"
    ),
}


class Reference:
    """backends/reference/scale_channels.py: the mathematics, as plain as the formula."""

    def scale_channels(x, scale, y):
        y[...] = x * scale

    def scale_channels_backward(dy, x, scale, dx, dscale):
        dx[...] = dy * scale
        dscale[...] = (dy * x).sum(0)


# backends/cpu/scale_channels.py: a share owns what it writes, so the bits do not hang on the number of threads.


@kernel
def _scale(share, shares, thread, packed):
    """Each share is a run of rows."""
    x, scale, y = unpack(packed)
    R, C = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        for c in range(C):
            y[r, c] = x[r, c] * scale[c]


@kernel
def _sum_products(share, shares, thread, packed):
    """Each share is a run of channels, of which it adds up all rows in their order."""
    dy, x, dscale = unpack(packed)
    R, C = x.shape
    first, last = share * C // shares, (share + 1) * C // shares
    dscale[first:last] = 0
    for r in range(R):
        for c in range(first, last):
            dscale[c] += dy[r, c] * x[r, c]


class OnCPU:
    @contract.checked
    def scale_channels(x, scale, y):
        _scale(threads_for(x.size), x, scale, y)

    @contract.checked
    def scale_channels_backward(dy, x, scale, dx, dscale):
        _scale(threads_for(x.size), dy, scale, dx)
        _sum_products(threads_for(x.size), dy, x, dscale)


# backends/cuda/scale_channels.py: a thread an element; the sums a thread a channel, simple and always in one order.


@jit
def _scale_kernel(x, scale, y):
    i = cuda.grid(1)
    if i < x.size:
        r, c = i // x.shape[1], i % x.shape[1]
        y[r, c] = x[r, c] * scale[c]


@jit
def _sum_products_kernel(dy, x, dscale):
    c = cuda.grid(1)
    if c < dscale.size:
        total = dscale.dtype.type(0)
        for r in range(x.shape[0]):
            total += dy[r, c] * x[r, c]
        dscale[c] = total


class OnGPU:
    @contract.checked
    def scale_channels(x, scale, y):
        launch_each(_scale_kernel, x.size, x, scale, y)

    @contract.checked
    def scale_channels_backward(dy, x, scale, dx, dscale):
        launch_each(_scale_kernel, dy.size, dy, scale, dx)
        launch_each(_sum_products_kernel, dscale.size, dy, x, dscale)


# ops/: the public functions check, allocate, and call the backend that holds the arrays.


def run(functions, backend, dy, x, scale):
    """(y, dx, dscale) as NumPy arrays."""
    dy, x, scale = map(backend.asarray, (dy, x, scale))
    y, dx = backend.empty(x.shape, x.dtype), backend.empty(x.shape, x.dtype)
    dscale = backend.empty(scale.shape, x.dtype)
    functions.scale_channels(x, scale, y)
    functions.scale_channels_backward(dy, x, scale, dx, dscale)
    return [backend.to_numpy(array) for array in (y, dx, dscale)]


# tests/test_scale_channels.py: finite differences judge the reference, the reference judges the backends.


def main():
    rng = np.random.default_rng(0)
    dy, x = rng.normal(size=(2, 37, 5))
    scale, step = rng.normal(size=5), 1e-6
    y, dx, dscale = np.empty_like(x), np.empty_like(x), np.empty_like(scale)
    Reference.scale_channels(x, scale, y)
    Reference.scale_channels_backward(dy, x, scale, dx, dscale)
    numeric = [(dy * (x * (scale + step * e) - y)).sum() / step for e in np.eye(5)]
    print(f"largest error of the reference's gradient {np.abs(dscale - numeric).max():.0e}")

    for name, functions in (("cpu", OnCPU), ("cuda", OnGPU)):
        if not any(found.startswith(name) for found in backends.available()):
            print(f"{name}: not here; available: {', '.join(backends.available())}")
            continue
        single = [a.astype(np.float32) for a in (dy, x, scale)]
        found = run(functions, backends.get(name), *single)
        error = max(np.abs(a - b).max() for a, b in zip(found, (y, dx, dscale), strict=True))
        print(f"{name}: largest difference to the reference {error:.0e}")


if __name__ == "__main__":
    main()
