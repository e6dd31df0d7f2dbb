"""Threads that make data, and the kernels' threads that leave them their processors."""

import threading
import time

import numba
import numpy as np
import pytest

from numba_cnn import busy
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import _masked

SHARES = 24


@pytest.fixture(autouse=True)
def nobody_is_busy():
    assert busy.count[0] == 0
    yield
    assert busy.count[0] == 0


def compute(seconds=5e-3):
    """How many were counted meanwhile."""
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass
    return busy.count[0]


def sleep():
    time.sleep(10e-3)
    return busy.count[0]


def fail():
    compute()
    raise ZeroDivisionError


def test_a_call_counts_if_the_last_one_computed():
    work = busy.Work()
    assert [work(compute) for _ in range(3)] == [0, 1, 1]
    assert [work(sleep), work(sleep), work(compute)] == [1, 0, 0]
    assert [work(compute, 0), work(compute)] == [1, 0]  # a moment's work is none


def test_an_error_passes_and_counts_no_longer():
    work = busy.Work()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            work(fail)
    assert work(compute) == 1


def test_threads_count_each():
    work, counts, together = busy.Work(), [], threading.Barrier(3)
    work(compute)

    def met():
        together.wait()
        counts.append(compute())
        together.wait()

    threads = [threading.Thread(target=work, args=(met,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3, 3, 3]


@kernel
def _note(share, shares, thread, packed):
    """Who does which share; the first one is held up until another thread has done one."""
    spins, threads = unpack(packed)
    first, last = share * threads.size // shares, (share + 1) * threads.size // shares
    for _ in range(spins if share == 0 else 0):
        _masked()  # which the compiler knows nothing of, so that each look reads anew
        if threads.max() == 1:
            break
    threads[first:last] = thread


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread")
@pytest.mark.parametrize("others", [1, 2, 1000])
def test_the_last_threads_leave_their_processors_to_who_is_busy(others):
    """All shares are done by who stays, which is the first thread at least."""
    before = numba.get_num_threads()
    doers = np.full(32 * SHARES, -1)
    try:
        numba.set_num_threads(2)
        busy.count[0] = others
        for _ in range(20):
            _note(2, 0, doers)
            np.testing.assert_array_equal(doers, 0)
    finally:
        busy.count[0] = 0
        numba.set_num_threads(before)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread")
def test_who_gave_way_comes_back():
    before = numba.get_num_threads()
    doers = np.full(32 * SHARES, -1)
    timer = threading.Timer(0.02, lambda: busy.count.__setitem__(0, 0))
    try:
        numba.set_num_threads(2)
        busy.count[0] = 1
        timer.start()
        _note(2, 1_000_000_000, doers)  # in vain it spins for long
    finally:
        timer.join()
        numba.set_num_threads(before)
    assert set(doers.tolist()) == {0, 1}
