"""On which processors threads run: not on that of the thread that launched them, if there are others.

Linux wakes a thread where it ran last or where a processor is idle, or else where its waker runs, and does not count
a virtual machine's processors as idle while the host has put them to sleep (available_idle_cpu() in kernel/sched).
After a rest the threads of a launch then share a processor, launch after launch, since each is woken by the other.
"""

import sys

import numpy as np
from numba import njit, types

from numba_cnn.backends.cpu.codegen.compiler import cached

WORDS, BYTES = 16, 128  # of a set of 1024 processors, as large as the C library's own

if sys.platform == "linux":
    processor = types.ExternalFunction("sched_getcpu", types.int32())
    _set = types.int32(types.int32, types.uintp, types.uintp)
    _get_affinity = types.ExternalFunction("sched_getaffinity", _set)
    _set_affinity = types.ExternalFunction("sched_setaffinity", _set)

    @cached
    @njit(nogil=True)
    def migrate_from(here):
        """Move this thread from processor `here` to any other that it may run on; it may come back."""
        allowed, others = np.zeros(WORDS, np.int64), np.zeros(WORDS, np.int64)
        if not 0 <= here < 8 * BYTES or _get_affinity(0, BYTES, allowed.ctypes.data):
            return
        for word in range(WORDS):  # a slice's assignment would take two seconds to compile
            others[word] = allowed[word]
        others[here // 64] &= ~(1 << here % 64)
        if others.any():
            _set_affinity(0, BYTES, others.ctypes.data)
            _set_affinity(0, BYTES, allowed.ctypes.data)
else:  # macOS knows no such choice; Windows has not been looked at

    @njit
    def processor():
        return -1

    @njit
    def migrate_from(here):
        pass
