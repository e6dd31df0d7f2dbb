"""The samples of a batch, side by side."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import defer, kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def gather(x, rows, out, finite):
    """out[i] = x[rows[i]], for samples in C order, converted to float32; finite[i] says whether all of it is finite.

    On all threads: while one alone copied a batch, the others would fall asleep, and be late for its step.
    """
    _check_rows("gather", x, rows)
    _gather(threads_for(out.size), x.reshape(-1), rows, out.reshape(-1), finite)


@checked
def gather_async(x, rows, out, finite):
    """The same, in the time that threads wait for one another in this thread's next launches; see finish_deferred()."""
    _check_rows("gather_async", x, rows)
    defer(_gather, len(rows), x.reshape(-1), rows, out.reshape(-1), finite)


def _check_rows(name, x, rows):
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(x)):
        raise ValueError(f"{name}: rows must lie in 0..{len(x) - 1}. Received: {rows}")


@kernel
def _gather(share, shares, thread, packed):
    """Each share is a run of samples."""
    x, rows, out, finite = unpack(packed)
    count = len(rows)
    size = out.size // count
    for i in range(share * count // shares, (share + 1) * count // shares):
        source, target = x[rows[i] * size : (rows[i] + 1) * size], out[i * size : (i + 1) * size]
        fine = True
        for k in range(size):
            value = np.float32(source[k])
            target[k] = value
            fine &= np.isfinite(value)
        finite[i] = fine
