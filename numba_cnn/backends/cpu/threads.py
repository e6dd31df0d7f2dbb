"""How many threads the kernels run on."""

import numba


def get_num_threads():
    return numba.get_num_threads()
