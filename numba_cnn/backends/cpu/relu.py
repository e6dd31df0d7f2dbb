"""ReLU on the CPU: one pass over memory, in runs of elements."""

from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.threads import run_of, workers_for


def relu(x, y):
    _relu(workers_for(x.size), x.reshape(-1), y.reshape(-1))


def relu_backward(dy, y, dx):
    _relu_backward(workers_for(y.size), dy.reshape(-1), y.reshape(-1), dx.reshape(-1))


@kernel
def _relu(w, workers, packed):
    """Each worker owns a run of elements."""
    x, y = unpack(packed)
    zero = x.dtype.type(0)
    x, y = run_of(w, workers, x), run_of(w, workers, y)
    for i in range(x.size):
        y[i] = zero if x[i] <= zero else x[i]


@kernel
def _relu_backward(w, workers, packed):
    """Each worker owns a run of elements."""
    dy, y, dx = unpack(packed)
    zero = y.dtype.type(0)
    dy, y, dx = run_of(w, workers, dy), run_of(w, workers, y), run_of(w, workers, dx)
    for i in range(y.size):
        dx[i] = dy[i] if y[i] > zero else zero
