"""The simulator's shared memory, as the library mends it where it switches to the simulator."""

import time

import numpy as np
import pytest
from numba import cuda, int32

from numba_cnn.backends.cuda import provider

assert provider.SIMULATOR
THREADS = 8


@pytest.fixture
def slow_allocation(monkeypatch):
    """Arrays take so long to make that all threads of a block ask for one before the first has it."""
    empty = np.empty

    def slow_empty(*arguments):
        time.sleep(0.02)
        return empty(*arguments)

    monkeypatch.setattr(np, "empty", slow_empty)


@cuda.jit
def reverse_kernel(x, out):
    first = cuda.shared.array(THREADS, int32)
    second = cuda.shared.array(THREADS, int32)
    t = cuda.threadIdx.x
    first[t] = x[t]
    second[t] = -x[t]
    cuda.syncthreads()
    out[0, t] = first[THREADS - 1 - t]
    out[1, t] = second[THREADS - 1 - t]


def test_all_threads_of_a_block_get_one_array(slow_allocation):
    x, out = np.arange(1, THREADS + 1), np.zeros((2, THREADS), int)
    reverse_kernel[1, THREADS](x, out)
    np.testing.assert_array_equal(out, [x[::-1], -x[::-1]])


@cuda.jit
def dynamic_kernel(x, out):
    shared = cuda.shared.array(0, int32)
    t = cuda.threadIdx.x
    shared[t] = x[t]
    cuda.syncthreads()
    again = cuda.shared.array(0, int32)
    out[t] = again[THREADS - 1 - t]


def test_dynamic_shared_memory_is_one_piece_wherever_it_is_asked_for():
    x, out = np.arange(1, THREADS + 1), np.zeros(THREADS, int)
    dynamic_kernel[1, THREADS, 0, 4 * THREADS](x, out)
    np.testing.assert_array_equal(out, x[::-1])
