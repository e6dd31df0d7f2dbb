"""Products of rows, for each sample by itself, on the CPU: each share is whole rows of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def batch_dot(a, b, y):
    _batch_dot(threads_for(a.size * b.shape[1]), a, b, y)


@kernel
def _batch_dot(share, shares, thread, packed):
    a, b, y = unpack(packed)
    N, I, J = y.shape
    K = a.shape[2]
    for r in range(share * N * I // shares, (share + 1) * N * I // shares):
        n, i = r // I, r % I
        left, out = a[n, i], y[n, i]
        for j in range(J):
            right, total = b[n, j], y.dtype.type(0)
            for k in range(K):
                total += left[k] * right[k]
            out[j] = total
