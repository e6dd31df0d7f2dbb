"""Which outputs are written past the caches.

To write a line, a cache reads it first, and an output that is larger than the cache leaves it before anybody reads
it: memory then moves half as much again, or twice as much.
"""

from numba_cnn.backends.cpu.codegen.arrays import is_aligned, lanes_of
from numba_cnn.backends.cpu.codegen.compiler import noinline

NONTEMPORAL_BYTES = 1 << 22  # bytes, at least: about one core's part of the last cache


@noinline
def bypasses_caches(array, columns):
    """Whether an array is, whose rows have so many columns: whole vectors, all aligned."""
    large = array.size * array.itemsize >= NONTEMPORAL_BYTES
    return large and columns % lanes_of(array) == 0 and is_aligned(array)
