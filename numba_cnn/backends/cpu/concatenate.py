"""Arrays side by side, on the CPU: each share is whole rows along the last axis."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def put_columns(x, g, y):
    _put(threads_for(x.size), x, g.start, y)


@checked
def take_columns(y, g, x, next_x):
    if next_x is None:
        next_x = np.empty((g.R, 0), x.dtype)
    _take(threads_for(x.size + next_x.size), y, g.start, x, next_x)


@kernel
def _put(share, shares, thread, packed):
    x, start, y = unpack(packed)
    (R, K), width = x.shape, y.shape[1]
    source, target = x.reshape(-1), y.reshape(-1)
    nontemporal = bypasses_caches(target, start | K | width)
    for r in range(share * R // shares, (share + 1) * R // shares):
        copy_run((source, r * K), (target, r * width + start), K, nontemporal)


@kernel
def _take(share, shares, thread, packed):
    """Both parts in one pass over the rows."""
    y, start, x, next_x = unpack(packed)
    (R, K), L, width = x.shape, next_x.shape[1], y.shape[1]
    source, target, next_target = y.reshape(-1), x.reshape(-1), next_x.reshape(-1)
    nontemporal, next_nontemporal = bypasses_caches(target, K), bypasses_caches(next_target, L)
    for r in range(share * R // shares, (share + 1) * R // shares):
        at = r * width + start
        copy_run((source, at), (target, r * K), K, nontemporal)
        copy_run((source, at + K), (next_target, r * L), L, next_nontemporal)
