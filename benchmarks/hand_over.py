"""How far two cores are apart: the time in which one hands a cache line to the other.

    python -m benchmarks.hand_over

Some 30 to 60 ns where they have a cache in common; where not, 150 to 300 on Zen 4. The host of a virtual machine moves
its cores, which are near in one second and far in the next.
"""

import time

import numba
import numpy as np
from numba import njit, prange

from numba_cnn.backends.cpu.runtime.affinity import migrate_from, processor
from numba_cnn.backends.cpu.runtime.scheduler import LINE_WORDS
from numba_cnn.backends.cpu.runtime.waiting import add_one, read

TURNS, ROUNDS = 200, 10


def main():
    for _ in range(20):
        print(f"{nanoseconds():.0f} ns")
        time.sleep(0.5)


def nanoseconds():
    """What the first two threads take, one after the other, to count a number up: the best of some times, since one of
    them may still be on its way."""
    threads = numba.get_num_threads()
    numba.set_num_threads(2)
    try:
        return min(_seconds() for _ in range(ROUNDS)) / (2 * TURNS) * 1e9
    finally:
        numba.set_num_threads(threads)


def _seconds():
    start = time.perf_counter()
    _count(np.zeros(LINE_WORDS, np.int64), TURNS)
    return time.perf_counter() - start


@njit(parallel=True, nogil=True)
def _count(number, turns):
    here = processor()
    for thread in prange(2):
        if thread > 0 and processor() == here:
            migrate_from(here)
        for _ in range(turns):
            while read(number, 0) % 2 != thread:
                pass
            add_one(number, 0)


if __name__ == "__main__":
    main()
