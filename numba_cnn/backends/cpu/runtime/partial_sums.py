"""Sums over a batch in chunks: each has a result of its own, and the results are added in order.

How many chunks there are depends on shapes alone, so do the bits of the sum; the number of threads
decides only who computes which.
"""

from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import run_of, threads_for


def partials_of(total, count):
    """(count, elements) for the chunks of a total; of a single one, the total itself."""
    return total.reshape(1, -1) if count == 1 else empty((count, total.size), total.dtype)


def sum_partials(chunks, total):
    """total = the sum of the rows of chunks, first to last."""
    if len(chunks) > 1:
        _sum_partials(threads_for(chunks.size), chunks, total.reshape(-1))


@kernel
def _sum_partials(share, shares, thread, packed):
    """Each share is a run of columns."""
    chunks, total = unpack(packed)
    run = run_of(share, shares, total)
    first = run_of(share, shares, chunks[0])
    for i in range(run.size):
        run[i] = first[i]
    for c in range(1, len(chunks)):
        more = run_of(share, shares, chunks[c])
        for i in range(run.size):
            run[i] += more[i]
