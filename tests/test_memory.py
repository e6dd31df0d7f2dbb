"""Reused memory: a training step allocates nothing large anew, and memory stays near what the step needs."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest

from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.microkernels.copy import copy_rows
from numba_cnn.backends.cpu.runtime import memory

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")


def test_freed_memory_is_taken_again_and_never_shared():
    first = memory.empty((1000, 1000), np.float32)
    address = first.ctypes.data
    assert address % memory.ALIGNMENT == 0
    view = first[5:, 3:]
    del first
    second = memory.empty((1000, 1000), np.float32)
    assert second.ctypes.data != address, "a view still uses that memory"
    del view
    assert memory.empty((1000, 1000), np.float32).ctypes.data == address


@pytest.mark.skipif(not HUGE_PAGES.exists(), reason="this system has no huge pages")
def test_large_arrays_ask_for_huge_pages():
    large = memory.empty((memory.HUGE_BYTES,), np.uint8)
    small = memory.empty((memory.HUGE_BYTES // 2,), np.uint8)
    assert "hg" in mapping_flags(large.ctypes.data)
    assert "hg" not in mapping_flags(small.ctypes.data)


def mapping_flags(address):
    """What the system says of the memory at that address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if "-" in first:
            start, end = (int(part, 16) for part in first.split("-"))
            inside = start <= address < end
        elif inside and first == "VmFlags:":
            return rest.split()
    raise AssertionError(f"nothing is mapped at {address:#x}")


def test_shapes_and_dtypes():
    for shape, dtype in (
        ((), np.float32),
        ((0, 3), np.float64),
        ((7, 5), np.uint8),
        ((1,), np.int32),
    ):
        array = memory.empty(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_vectors_that_registers_do_not_hold_are_aligned():
    @numba.njit
    def copied(source, target):
        shape = 1, source.size, source.size
        copy_rows((source, source, 0, False, 0), (target, 0, 0), shape)

    source, target = np.arange(37, dtype=np.float32), np.zeros(37, np.float32)
    copied(source, target)
    np.testing.assert_array_equal(target, source)
    assert f"alignstack({VECTOR_BITS // 8})" in "".join(copied.inspect_llvm().values())


FORK = """
    import os
    import numpy as np
    from numba_cnn.backends.cpu.runtime import memory

    arrays = [memory.empty((n,), np.float32) for n in (100, 10_000, 1_000_000)]
    for array in arrays:
        array[:] = 1
    child = os.fork()
    if child == 0:
        for array in arrays:
            array[:] = 2
        os._exit(0)
    print(os.waitpid(child, 0)[1], *(array.min() == array.max() == 1 for array in arrays))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_writes_into_a_copy():
    assert _run(FORK) == ["0", "True", "True", "True"]


CODE = """
    import resource
    import numpy as np
    from numba_cnn import models
    from numba_cnn.backends.cpu.runtime import memory

    model = models.tutorial_cnn()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 64, 64, 3), dtype=np.float32), rng.integers(0, 10, 32)
    model.train_step(x, y)
    model.train_step(x, y)
    fresh = []
    mapped = memory.map_bytes
    memory.map_bytes = lambda capacity: fresh.append(capacity) or mapped(capacity)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        model.train_step(x, y)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    from numba_cnn.backends.cpu.runtime.arena import ARENA
    kept = memory._pool.free_bytes + len(ARENA.memory()[0])
    held = 4 * sum(p.value.nbytes for p in model.trainable_weights)  # with a gradient and two moments
    print(sum(fresh), faults, kept + held)
"""


def test_a_training_step_allocates_nothing_large_after_the_first():
    fresh, faults, total = map(int, _run(CODE))
    assert fresh < 1 << 16  # bytes
    assert faults < 5 * 100  # pages of 4 KiB; one activation of the first layer has 3,844
    # Activations and their gradients, the parameters, their gradients and Adam's two moments.
    activations = 32 * 4 * (
        62 * 62 * 32 + 31 * 31 * 32 + 29 * 29 * 64 + 14 * 14 * 64 + 12 * 12 * 64 + 64 + 10
    )  # fmt: skip
    parameters = 4 * 646_858
    assert total <= 1.5 * (2 * activations + 4 * parameters)


SIZES = """
    import gc
    import numpy as np
    from numba_cnn import ops

    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * 4096

    def conv2d(n):
        ops.conv2d(np.ones((4, n, n // 2, 32), np.float32), weight, padding="same")

    weight = np.ones((3, 3, 32, 64), np.float32)
    conv2d(32)
    gc.collect()
    start = resident()
    for n in range(50):
        conv2d(64 + 8 * n)
    largest = 4 * (64 + 8 * 49) * (64 + 8 * 49) // 2 * (32 + 64) * 4
    print(resident() - start, largest)
"""

MODELS = """
    import gc
    import numpy as np
    from numba_cnn import layers, models

    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * 4096

    def used(n):
        model = models.Sequential([layers.Input((40 + n, 40, 3)), layers.Conv2D(16, 3, activation="relu")])
        model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(10 + n, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy")
        x = np.ones((32, 40 + n, 40, 3), np.float32)
        model.train_step(x, np.zeros(32, np.int32))
        model.predict(x, verbose=0)
        return model

    used(0)
    gc.collect()
    start = resident()
    stock = [used(n) for n in range(1, 35)]
    largest = resident()
    del stock
    gc.collect()
    print(resident() - start, largest - start)
"""


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="the system does not tell its memory so"
)
class TestGivenBack:
    def test_memory_of_many_sizes(self):
        kept, largest = map(int, _run(SIZES))
        assert kept <= 2 * largest

    def test_memory_of_models_that_are_gone(self):
        kept, together = map(int, _run(MODELS))
        assert kept <= 50 << 20
        assert together > 2 * (50 << 20)


def test_what_lies_free_is_bounded_and_the_longest_unused_goes_first(monkeypatch):
    pool = memory._Pool()
    monkeypatch.setattr(memory, "KEPT", 1 << 20)
    taken = [(1 << 19, pool.take(1 << 19)) for _ in range(6)]
    for block in taken:
        pool.give_back(*block)
    assert pool.free_bytes == 6 << 19  # as much as was in use at once
    pool.after_collection("stop", {"generation": 2})
    assert pool.free_bytes == 1 << 20
    assert [block for _, block in pool.free[1 << 19]] == [block for _, block in taken[-2:]]
    pool.trim(0)
    assert pool.free_bytes == 0


def _run(code):
    """The words that a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("block", [memory._Block, memory.ScratchBlock])
def test_blocks_that_a_signal_stopped_before_they_were_whole_die_quietly(block):
    block.__new__(block).__del__()
