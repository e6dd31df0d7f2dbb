"""How many threads the kernels run on, and how they wait for one another."""

import os

import numba

from numba_cnn.backends.cpu.compiler import small

# GNU OpenMP's threads spin for a millisecond after each loop. On a machine that does anything else
# they keep one another from running, and a training step took four times as long (250 ms for 60).
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# Elements of a pass over memory below which another thread costs more than it saves.
SHARE = 1 << 14


def get_num_threads():
    """The number of threads that kernels run on now."""
    return numba.get_num_threads()


def set_num_threads(n):
    """Run kernels on n threads from now on; ValueError unless 1 <= n <= what Numba started with."""
    most = numba.config.NUMBA_NUM_THREADS
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= most:
        raise ValueError(
            f"set_num_threads: n must be an integer from 1 to {most}, the number of cores or NUMBA_NUM_THREADS. "
            f"Received: {n!r}"
        )
    numba.set_num_threads(n)


def threading_layer():
    """The name of Numba's threading layer, once a kernel has run; before that None."""
    try:
        return numba.threading_layer()
    except ValueError:
        return None


def workers_for(elements):
    """The number of threads for one pass over that many elements."""
    return max(1, min(get_num_threads(), elements // SHARE))


@small
def run_of(w, workers, array):
    """The run of a flat array that worker w owns, as a view: its indices count from 0, which lets loops vectorise."""
    return array[w * array.size // workers : (w + 1) * array.size // workers]
