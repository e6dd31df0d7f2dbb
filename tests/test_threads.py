"""Threads: bits that do not depend on their number, two callers at once, and life after a fork."""

import os
import subprocess
import sys
import textwrap
import threading
from functools import partial

import numba
import numpy as np
import pytest
from numba import njit

import numba_cnn as nc
from numba_cnn.backends.cpu.runtime.affinity import migrate_from, processor
from numba_cnn.backends.cpu.runtime.launch import kernel, launching, unpack
from numba_cnn.backends.cpu.runtime.scheduler import PIECES
from numba_cnn.backends.cpu.runtime.threads import _masked, for_each_thread, get_num_threads

# The processors that this thread may run on, where the system tells.
allowed = partial(os.sched_getaffinity, 0) if hasattr(os, "sched_getaffinity") else set

SETUP = """
    import numpy as np
    from numba_cnn import layers, models
    model = models.Sequential([
        layers.Conv2D(16, 3, activation="relu", input_shape=(20, 18, 3)),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    rng = np.random.default_rng(5)
    x = rng.random((48, 20, 18, 3), dtype=np.float32)
    expected = model.predict(x, verbose=0)
"""

CONCURRENT = """
    import threading
    wrong = []
    def work():
        for _ in range(20):
            if not np.array_equal(model.predict(x, verbose=0), expected):
                wrong.append(1)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print("wrong" if wrong else "right")
"""

FORK = """
    import os, sys
    child = os.fork()
    if child == 0:
        try:
            print("right" if np.array_equal(model.predict(x, verbose=0), expected) else "wrong")
        except RuntimeError as error:
            print(error)
        sys.stdout.flush()
        os._exit(0)
    print(os.waitpid(child, 0)[1], "right" if np.array_equal(model.predict(x, verbose=0), expected) else "wrong")
"""


def _run(code, **environment):
    program = textwrap.dedent(SETUP) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_several_threads_predict_at_once(layer):
    assert _run(CONCURRENT, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2") == ["right"]


@kernel
def _double(share, shares, thread, packed):
    (numbers,) = unpack(packed)
    for i in range(share * numbers.size // shares, (share + 1) * numbers.size // shares):
        numbers[i] *= 2


ONES = [np.ones(shape, np.float32) for shape in ((1, 4, 4, 1), (3, 3, 1, 1), (1,))]


@pytest.mark.parametrize("call", [lambda: _double(2, np.ones(9)), lambda: nc.ops.conv2d(*ONES)])
def test_a_launch_waits_for_that_of_another_thread(call):
    for _ in range(3):  # compiled, and recorded, where it is
        call()
    done = []
    thread = threading.Thread(target=lambda: done.append(call()))
    with launching():
        thread.start()
        thread.join(0.2)
        assert not done
    thread.join()
    assert done


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_child_answers(layer):
    child, parent = _run(FORK, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    assert parent == "0 right"
    if layer == "omp":
        assert "forked after its parent had started OpenMP threads" in child
        assert "spawn" in child
    else:
        assert child == "right"


@pytest.mark.skipif(len(allowed()) < 2, reason="there is one processor only")
def test_threads_share_no_processor_after_a_rest():
    code = """
        import time
        from numba_cnn.backends.cpu.runtime.launch import kernel, launching, unpack
        from numba_cnn.backends.cpu.runtime.affinity import processor

        @kernel
        def look(share, shares, thread, packed):
            seen, numbers = unpack(packed)
            for i in range(share * len(seen) // shares, (share + 1) * len(seen) // shares):
                total = 0.0
                for j in range(500):
                    total += np.sin(numbers[j % 7])
                seen[i] = processor()
                numbers[7 + i] = total

        seen, numbers = np.empty(64), np.arange(71.0)
        apart = 0
        for _ in range(20):
            time.sleep(0.1)
            for _ in range(5):
                look(2, seen, numbers)
            apart += len(set(seen)) > 1
        print(apart)
    """
    (apart,) = _run(code, NUMBA_NUM_THREADS="2", NUMBA_THREADING_LAYER="omp")
    assert int(apart) >= 10  # another program may take a processor meanwhile


@pytest.mark.skipif(len(allowed()) < 2, reason="there is one processor only")
def test_a_thread_leaves_a_processor_and_may_come_back():
    @njit
    def left():
        here = processor()
        migrate_from(here)
        return here, processor()

    before = allowed()
    moves = [left() for _ in range(5)]
    assert any(here != there for here, there in moves)
    assert allowed() == before
    try:
        os.sched_setaffinity(0, {min(before)})
        assert left() == (min(before), min(before))
        assert allowed() == {min(before)}
    finally:
        os.sched_setaffinity(0, before)


def test_the_number_of_threads_is_numbas_own():
    """However it was set, and in each Python thread by itself."""
    code = """
        import threading
        import numba
        from numba_cnn.backends.cpu.runtime.threads import get_num_threads, set_num_threads
        seen = [get_num_threads()]
        set_num_threads(1)
        seen.append(get_num_threads())
        numba.set_num_threads(3)
        seen.append(get_num_threads())
        other = threading.Thread(target=lambda: seen.append(get_num_threads()))
        other.start()
        other.join()
        print(*seen)
    """
    assert _run(code, NUMBA_NUM_THREADS="4") == ["4 1 3 4"]


def test_bits_do_not_depend_on_threads():
    """Weights after an epoch: one thread, two, and once more; a fresh process each."""
    code = """
        import hashlib
        from numba_cnn import set_random_seed
        set_random_seed(7)
        model = models.Sequential([
            layers.Conv2D(32, 3, activation="relu", input_shape=(37, 35, 3)),
            layers.MaxPooling2D(2),
            layers.Conv2D(48, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(17, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(40, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ])
        model.compile("adam", "sparse_categorical_crossentropy")
        images = rng.random((80, 37, 35, 3), dtype=np.float32)
        model.fit(images, np.arange(80) % 10, batch_size=32, epochs=2, verbose=0)
        print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
    """
    digests = {
        _run(code, NUMBA_NUM_THREADS=threads, NUMBA_THREADING_LAYER=layer)[0]
        for threads, layer in (("1", "omp"), ("2", "omp"), ("2", "workqueue"), ("3", "workqueue"))
    }
    assert len(digests) == 1


def test_bits_of_convolutions_do_not_depend_on_threads():
    """All passes, of layers that have fewer pieces of work than threads, and of others."""
    code = """
        import hashlib
        import numba_cnn as nc
        for N, H, C, F, groups, algorithm in (
            (1, 9, 70, 45, 1, "winograd"), (8, 14, 64, 64, 1, "winograd"), (3, 31, 16, 33, 1, "winograd"),
            (2, 7, 256, 300, 1, "winograd"), (1, 9, 70, 45, 1, "direct"), (2, 24, 3, 32, 1, "direct"),
            (5, 12, 18, 2, 1, "direct"), (5, 12, 300, 300, 300, "direct"), (3, 90, 20, 20, 20, "direct"),
        ):
            x, dy = (rng.standard_normal((N, H - d, H - d, n), np.float32) for d, n in ((0, C), (2, F)))
            weight = rng.standard_normal((3, 3, C // groups, F), np.float32)
            digests, how = set(), {"groups": groups, "algorithm": algorithm}
            for threads in (1, 2, 5):
                nc.set_num_threads(threads)
                y = nc.ops.conv2d(x, weight, **how)
                parts = y, *nc.ops.conv2d_backward(dy, x, weight, **how)
                digests.add(hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest())
            print(len(digests))
    """
    assert _run(code, NUMBA_NUM_THREADS="5") == 9 * ["1"]


@kernel
def _count(share, shares, thread, packed):
    """Counts how often each element is done; the first share is held up until it sees all others done."""
    spins, times, seen = unpack(packed)
    first, last = share * times.size // shares, (share + 1) * times.size // shares
    for _ in range(spins if share == 0 else 0):
        _masked()  # which the compiler knows nothing of, so that each look reads anew
        if times[last:].sum() == times.size - last:
            seen[0] = 1
            break
    times[first:last] += 1


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread")
def test_a_thread_that_is_held_up_leaves_its_pieces_to_others():
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(2)
        times, seen = np.zeros(2 * max(parts for _, parts in PIECES), int), np.zeros(1, int)
        _count(2, 1_000_000_000, times, seen)  # in vain it spins for some ten seconds
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(times, 1)
    assert seen == 1


@pytest.mark.parametrize("elements", [1, 2, 7, 64, 1001])
def test_pieces_are_all_there_is_once(elements):
    times = np.zeros(elements, int)
    for run in range(3):
        for which, parts in PIECES:
            share, shares = run * parts + which, 3 * parts
            times[share * elements // shares : (share + 1) * elements // shares] += 1
    np.testing.assert_array_equal(times, 1)


def test_set_num_threads():
    before = numba.get_num_threads()
    try:
        nc.set_num_threads(1)
        assert numba.get_num_threads() == 1
        x = np.random.default_rng(0).random((8, 30, 30, 16), dtype=np.float32)
        weight = np.random.default_rng(1).random((3, 3, 16, 32), dtype=np.float32)
        one = nc.ops.conv2d(x, weight)
        nc.set_num_threads(before)
        np.testing.assert_array_equal(nc.ops.conv2d(x, weight), one)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("n", [0, -1, 10_000, 1.5, True, "2"])
def test_set_num_threads_refuses(n):
    with pytest.raises(ValueError, match=r"n must be an integer .* Received: "):
        nc.set_num_threads(n)


INTERRUPTED = """
    import signal
    answers = []
    def handler(number, frame):
        try:
            answers.append("right" if np.array_equal(other.predict(x, verbose=0), expected) else "wrong")
        except RuntimeError as error:
            answers.append(str(error).partition(";")[0])
    other = model
    model = models.Sequential([
        layers.Conv2D(17, 3, activation="relu", input_shape=(20, 18, 3)),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    results = [model(x[:n]) for n in range(1, 48)] + [model(x) for _ in range(300)]
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("right" if all(np.array_equal(y, model(x[: len(y)])) for y in results) else "wrong")
    print(*sorted(set(answers)), sep="\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no signals of timers")
def test_a_signal_handler_may_predict_and_hangs_nowhere():
    result, *answers = _run(INTERRUPTED)
    assert result == "right"
    assert set(answers) <= {
        "right",
        "a kernel cannot be launched in the middle of another launch of the same thread",
        "a kernel cannot be launched while others are recorded in the same thread",
    }
    assert "right" in answers


def test_a_launch_inside_of_a_launch_or_a_recording_is_refused():
    graph = nc.backends.get("cpu").LaunchGraph
    x = np.ones((3, 4), np.float32)
    with (
        launching(),
        pytest.raises(RuntimeError, match="in the middle of another launch of the same thread"),
    ):
        nc.ops.relu(x)

    def handler():
        namespace = {"relu": nc.ops.relu, "x": x, "__name__": "of_a_user"}
        exec("def work(): return relu(x)", namespace)
        return namespace["work"]()

    with pytest.raises(RuntimeError, match="while others are recorded"):
        graph(lambda x: ([handler()], []), [x])
    np.testing.assert_array_equal(nc.ops.relu(-x), 0 * x)


@pytest.mark.parametrize(
    ("columns", "dtype"), [(1, np.float32), (62, np.int32), (3000, np.float64)]
)
def test_what_two_threads_write_lies_two_cache_lines_apart(columns, dtype):
    array = for_each_thread(2, columns, dtype)
    of_thread, of_row, _ = array.strides
    assert (len(array), array.shape[2], array.dtype) == (get_num_threads(), columns, dtype)
    assert of_thread - 2 * of_row >= 128
