"""How the shares of launches are handed out to threads, which wait for one another between launches."""

import numpy as np
from numba import njit, prange

from numba_cnn.backends.cpu.codegen.compiler import cached, call
from numba_cnn.backends.cpu.runtime.affinity import migrate_from, processor
from numba_cnn.backends.cpu.runtime.waiting import (
    add_one,
    do_deferred,
    give_way,
    read,
    wait,
    yield_processor,
)

# What a thread's run is cut into, each as (which, of how many equal parts): small ones last, so that nobody waits long
# for a thread whose core is slower, or which has been descheduled.
PIECES = (0, 4), (1, 4), (2, 4), (6, 8), (14, 16), (15, 16)
LINE_WORDS = 8  # integers that fill a cache line, which threads had better not share


@njit(nogil=True)
def _run_alone(table):
    for i in range(len(table)):
        call(table[i, 0], (0, 1, 0, table[i, 2]))


@cached
@njit(parallel=True, nogil=True)
def run_table(table, deferred, busy):
    """Each thread does its own run of the work, as near in memory as it was in the launch before, piece after piece,
    then what others have left. All launches are one parallel loop; between them threads wait for one another's pieces,
    not for each other: one alone would do all of them. Each launch is for one thread or for as many as the others, so
    whoever is there can do any piece. The last threads leave their processors to as many others as are `busy` with
    making data. What is `deferred`, a table of one launch or none, is done on the way."""
    launches, most = len(table), 1
    for i in range(launches):
        most = max(most, table[i, 1])
    if most == 1:
        _run_alone(table)
        _run_alone(deferred)
        return
    taken = np.empty((1 + launches * most) * LINE_WORDS, np.int64)
    done = np.empty((launches + 1) * LINE_WORDS, np.int64)
    here, came = processor(), launches * LINE_WORDS  # came: where threads that help are counted
    for i in range(taken.size):  # a slice would be set to 0 in a parallel loop of its own
        taken[i] = 0
    for i in range(done.size):
        done[i] = 0
    for thread in prange(most):
        if thread > 0:
            if processor() == here:
                migrate_from(here)
            add_one(done, came)
        for i in range(launches):
            address, threads, packed = table[i, 0], table[i, 1], table[i, 2]
            pieces = len(PIECES) if threads > 1 else 1
            for other in range(threads):
                run = (thread + other) % threads
                place = (1 + i * most + run) * LINE_WORDS
                while True:
                    give_way(most - thread, most, busy, done, i * LINE_WORDS, pieces * threads)
                    piece = add_one(taken, place)
                    if piece >= pieces:
                        break
                    which, parts = PIECES[piece] if threads > 1 else (0, 1)
                    share, shares = run * parts + which, parts * threads
                    call(address, (share, shares, np.intp(thread % threads), packed))
                    add_one(done, i * LINE_WORDS)
                    if i == 0 and thread == 0 and read(done, came) < most - 1:
                        yield_processor()  # to who waits for this processor, and leaves it
            wait(done, i * LINE_WORDS, pieces * threads, deferred, taken)
        while do_deferred(deferred, taken):
            pass
