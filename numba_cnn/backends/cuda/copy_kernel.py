"""The kernel of memory.py. It has a file of its own because the simulator takes the name `cuda` away
from the file of a kernel that runs, and other threads make arrays meanwhile.
"""

from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import store


@jit
def copy_kernel(source, out):
    """One thread an element, whatever the strides of the source."""
    i = cuda.grid(1)
    if i < out.size:
        store(out, i, source.flat[i])
