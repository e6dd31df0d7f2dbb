"""Arrays whose axes change places, on the CPU: each share is whole rows along the last axis of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def permute(x, g, y):
    _permute(threads_for(y.size), x, tuple(g), y)


@kernel
def _permute(share, shares, thread, packed):
    x, g, y = unpack(packed)
    D0, D1, D2, D3, D4, D5, S0, S1, S2, S3, S4, S5 = g
    rows = D0 * D1 * D2 * D3 * D4
    for r in range(share * rows // shares, (share + 1) * rows // shares):
        rest, m = r // D4, r % D4
        rest, l = rest // D3, rest % D3
        rest, k = rest // D2, rest % D2
        i, j = rest // D1, rest % D1
        row = x[i * S0 + j * S1 + k * S2 + l * S3 + m * S4 :]
        out = y[r * D5 : (r + 1) * D5]
        for c in range(D5):
            out[c] = row[c * S5]
