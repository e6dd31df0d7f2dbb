"""What fit is fed with while it runs: batches ahead in threads, arrays in files, and all that can go wrong."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import h5py
import numpy as np
import pytest
from fed_model import EXPECTED, X, Y, assert_same, model, trained

from numba_cnn import callbacks, layers, models, threads, utils


class Items(utils.PyDataset):
    """Five batches, whose making is noted."""

    def __init__(self, delay=0.0, **settings):
        super().__init__(**settings)
        self.delay, self.noted, self.threads = delay, [], set()

    def __len__(self):
        return 5

    def __getitem__(self, i):
        time.sleep(self.delay)
        self.noted.append(i)
        self.threads.add(threading.get_ident())
        return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

    def on_epoch_begin(self):
        self.noted.append("begin")

    def on_epoch_end(self):
        self.noted.append("end")


class TestAhead:
    def test_the_next_batch_is_made_while_one_is_in_use(self):
        items = Items()
        seen = []
        made = model()
        step = made.train_step

        def slow(*batch):
            time.sleep(0.05)
            seen.append(len(items.noted))
            return step(*batch)

        made.train_step = slow
        made.fit(items, epochs=1, verbose=0, shuffle=False)
        assert seen[0] >= 3  # "begin", the first, and one ahead
        assert seen[0] <= 4  # one waits, one is made

    def test_bits_are_those_of_arrays(self):
        assert_same(trained(Items(), epochs=3, shuffle=False), trained(X, Y, **EXPECTED))

    @pytest.mark.parametrize("processes", [False, True])
    def test_workers_are_threads_and_keep_the_order(self, processes):
        items = Items(0.01, workers=3, use_multiprocessing=processes, max_queue_size=3)
        given = trained(items, epochs=2, shuffle=False)
        assert_same(given, trained(X, Y, **EXPECTED | {"epochs": 2}))
        assert 1 < len(items.threads) <= 6  # three in each epoch
        assert threading.get_ident() not in items.threads

    def test_epochs_begin_and_end_while_no_batch_is_made(self):
        items = Items(workers=2)
        trained(items, epochs=2)
        assert [items.noted[k] for k in (0, 6, 7, 13)] == ["begin", "end", "begin", "end"]

    def test_a_class_that_forgets_its_base_s_constructor(self):
        class Old(utils.Sequence):
            def __init__(self):
                self.some = 1

            __len__ = Items.__len__

            def __getitem__(self, i):
                return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

        assert_same(trained(Old(), epochs=3, shuffle=False), trained(X, Y, **EXPECTED))

    def test_a_buffer_that_is_used_again(self):
        class Reusing(Items):
            x = np.empty((8, 4, 4, 1), np.float32)
            y = np.empty(8, np.int32)

            def __getitem__(self, i):
                self.x[:], self.y[:] = X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]
                return self.x, self.y

        assert_same(trained(Reusing(), epochs=3, shuffle=False), trained(X, Y, **EXPECTED))


class TestGenerators:
    def test_next_is_called_in_the_caller_s_thread_and_no_more_than_needed(self):
        drawn = []

        def batches():
            while True:
                drawn.append(threading.get_ident())
                yield X[:8], Y[:8]

        model().fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)
        assert drawn == [threading.get_ident()] * 6

    def test_it_goes_on_in_the_next_fit(self):
        batches = ((X[k : k + 4], Y[k : k + 4]) for k in range(0, 40, 4))
        made = model()
        made.fit(batches, steps_per_epoch=2, epochs=2, verbose=0)
        made.evaluate(batches, steps=3, verbose=0)
        np.testing.assert_array_equal(next(batches)[0], X[28:32])

        def stop(step, logs):
            made.stop_training = True

        made.fit(batches, verbose=0, callbacks=[callbacks.LambdaCallback(on_batch_end=stop)])
        np.testing.assert_array_equal(next(batches)[0], X[36:40])

    def test_batches_of_changing_size(self):
        def batches():
            for size in (8, 3, 1, 17, 11):
                yield X[:size].astype(np.float64), Y[:size]

        history, _ = trained(batches(), class_weight={1: 2.0})
        assert np.isfinite(history["loss"][0])

    def test_its_own_error_comes_with_its_traceback_and_the_batch(self):
        def batches():
            yield X[:8], Y[:8]
            raise KeyError("mine")

        for source in (batches(), Raising()):
            with pytest.raises(KeyError, match="mine") as raised:
                model().fit(source, epochs=2, verbose=0, shuffle=False)
            assert any(entry.name in ("batches", "__getitem__") for entry in raised.traceback)
            (note,) = raised.value.__notes__
            assert note.startswith("fit: this came at batch 2")
            assert note.endswith("of epoch 1")

    @pytest.mark.parametrize(
        ("batch", "error", "message"),
        [
            (None, ValueError, r"fit: x must give batches \(x, y\) or .* Received: None"),
            ({"image": X[:8], "label": Y[:8]}, ValueError, "a dict with 'image', 'label'; such a batch d "),
            (([{"image": 1}], Y[:1]), TypeError, "must be an array of real numbers. Received: dicts with 'image'"),
            ((X[0], Y[:1]), ValueError, r"of shape \(4, 4, 1\), a single sample: data sets make batches by .batch"),
            ((None, Y[:8]), TypeError, "x must be an array of real numbers. Received: dtype object"),
            (("a", "b"), TypeError, "x must be an array of real numbers. Received: dtype <U1"),
            ((X[:8, :3], Y[:8]), ValueError, r"expects x of shape .* Received: x of shape \(8, 3, 4, 1\)"),
            ((X[:8], Y[:7]), ValueError, "the same length. Received: 8 samples, 7 labels"),
            ((X[:8], None), ValueError, "y must be what the model shall give. Received: None"),
            ((X[:8] * np.nan, Y[:8]), ValueError, "x must be finite, as float32. Received: nan in sample 0"),
            ((X[:0], Y[:0]), ValueError, "x holds no samples"),
            (([[1], [1, 2]], Y[:2]), ValueError, "x must be an array"),
            ((X[:8], Y[:8], "a"), ValueError, "sample_weight must be finite numbers of shape"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["generator", "items"])
    def test_what_is_no_batch(self, batch, error, message, kind):
        class Wrong(Items):
            def __getitem__(self, i):
                return batch if i == 1 else super().__getitem__(i)

        made, source = model(), Wrong()
        given = (source[i] for i in range(5)) if kind == "generator" else source
        with pytest.raises(error, match=message) as raised:
            made.fit(given, verbose=0, shuffle=False)
        assert "batch 2" in raised.value.__notes__[0]
        assert threading.active_count() == 1
        made.fit(X, Y, verbose=0)

    def test_a_generator_that_ends_in_validation(self):
        def batches():
            yield X[:8], Y[:8]

        with pytest.warns(UserWarning, match="fit, validation: x ran out of batches: 1 of 3 came"):
            model().fit(X, Y, validation_data=batches(), validation_steps=3, epochs=2, verbose=0)


class Raising(Items):
    def __getitem__(self, i):
        if i == 1:
            raise KeyError("mine")
        return super().__getitem__(i)


def test_training_that_is_stopped_leaves_no_thread():
    made = model()

    def stop(step, logs):
        made.stop_training = step == 1

    made.fit(
        Items(workers=2),
        epochs=3,
        verbose=0,
        callbacks=[callbacks.LambdaCallback(on_batch_end=stop)],
    )
    assert threading.active_count() == 1

    def fail(step, logs):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made.fit(
            Items(), epochs=3, verbose=0, callbacks=[callbacks.LambdaCallback(on_batch_end=fail)]
        )
    assert threading.active_count() == 1


INTERRUPTED = """
    import os, signal, sys, threading
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests may ignore it
    sys.path.insert(0, {tests!r})
    import test_sources as t
    made = t.model()
    made.fit(t.X, t.Y, verbose=0)
    class Told(t.Items):
        def __getitem__(self, i):
            os.write(1, b"making\\n")  # whole, whichever thread writes
            return super().__getitem__(i)
    try:
        made.fit(Told(0.05, workers=2), epochs=1000, verbose=0)
    except KeyboardInterrupt:
        print("threads", threading.active_count(), flush=True)
        made.fit(t.X, t.Y, verbose=0)
        print("usable")
"""


def test_ctrl_c_in_the_middle():
    code = textwrap.dedent(INTERRUPTED).format(tests=os.path.dirname(__file__))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(9):
            assert process.stdout.readline() == "making\n"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    lines = [line for line in rest.splitlines() if line != "making"]
    assert lines == ["threads 1", "usable"]


GROWTH = """
    import gc, os, sys, threading
    sys.path.insert(0, {tests!r})
    import test_sources as t
    made = t.model()
    def batches():
        while True:
            yield t.X[:8], t.Y[:8]
    source = {source}
    def run(epochs):
        made.fit(source, epochs=epochs, steps_per_epoch=3, verbose=0)
        gc.collect()
        rss = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
        return rss, threading.active_count(), len(os.listdir("/proc/self/fd"))
    run(300)
    before, after = run(10), run(1000)
    print((after[0] - before[0]) / 10 / 1e6, *before[1:], *after[1:])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
@pytest.mark.parametrize("source", ["batches()", "t.Items(workers=2)"])
def test_a_thousand_epochs_leave_nothing(source):
    code = textwrap.dedent(GROWTH).format(tests=os.path.dirname(__file__), source=source)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    growth, *counts = map(float, done.stdout.split())
    assert growth < 0.1  # MB each hundred epochs
    assert counts[:2] == counts[2:]


class TestFiles:
    @pytest.fixture
    def file(self, tmp_path):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["x"], file["y"] = X, Y
            file["bytes"] = (X * 255).astype(np.uint8)
            yield file

    @pytest.mark.parametrize("shuffle", [False, True, "batch"])
    def test_hdf5_datasets(self, file, shuffle):
        settings = {"batch_size": 8, "epochs": 3, "shuffle": shuffle}
        assert_same(trained(file["x"], file["y"], **settings), trained(X, Y, **settings))
        settings["validation_split"] = 0.3
        assert_same(trained(file["x"], file["y"], **settings), trained(X, Y, **settings))

    def test_integers_evaluate_and_predict(self, file):
        made = model()
        pixels = (X * 255).astype(np.uint8)
        assert made.evaluate(file["bytes"], file["y"], 7, 0) == made.evaluate(pixels, Y, 7, 0)
        np.testing.assert_array_equal(
            made.predict(file["bytes"], 7, verbose=0), made.predict(pixels, 7, verbose=0)
        )

    def test_no_more_than_a_batch_is_read(self, file):
        most = []

        class Noting:
            """A dataset that notes how many rows are read at a time."""

            chunks, shape, dtype = None, X.shape, X.dtype

            def __len__(self):
                return len(X)

            def __getitem__(self, rows):
                most.append(rows.stop - rows.start)
                return file["x"][rows]

            def __array__(self, dtype=None, copy=None):
                raise AssertionError("all is read")

        for shuffle in (False, True, "batch"):
            trained(Noting(), Y, batch_size=8, epochs=2, shuffle=shuffle, validation_split=0.2)
        assert max(most) <= 32  # four batches, where the samples lie near together
        most.clear()
        trained(Noting(), Y, batch_size=8, epochs=2, shuffle="batch")
        assert max(most) == 8

    def test_samples_of_a_batch_stay_together(self):
        seen = []

        class Note(layers.Flatten):
            def forward(self, x):
                seen.append(x[:, 0, 0, 0].tolist())
                return super().forward(x)

        made = models.Sequential([Note(input_shape=(4, 4, 1)), layers.Dense(3)])
        made.compile("sgd", "mse")
        made.fit(X, np.zeros((40, 3)), 12, epochs=2, shuffle="batch", verbose=0)
        batches = [X[k : k + 12, 0, 0, 0].tolist() for k in (0, 12, 24)]
        for epoch in (seen[:4], seen[4:]):
            assert sorted(epoch[:3]) == sorted(batches)
            assert epoch[3] == X[36:, 0, 0, 0].tolist()

    def test_nan_in_a_file(self, file):
        file["x"][21] = np.nan
        with pytest.raises(ValueError, match=r"x must be finite, .* Received: nan in sample 21"):
            model().fit(file["x"], file["y"], batch_size=8, verbose=0)

    def test_memory_maps(self, tmp_path):
        np.save(tmp_path / "x.npy", X)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        settings = {"batch_size": 8, "epochs": 2}
        assert_same(trained(mapped, Y, **settings), trained(X, Y, **settings))


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 1), (0.004, 3)])
def test_threads_work_where_they_are_worth_it(seconds, count, monkeypatch):
    """What takes less than a thread costs is done by who asks for it."""
    monkeypatch.setattr(threads, "cores", lambda: 3)
    by = []

    def double(i):
        time.sleep(seconds)
        by.append(threading.get_ident())
        return 2 * i

    assert list(threads.mapped(double, range(40))) == list(range(0, 80, 2))
    by = by[threads._TRIED :]
    assert len({*by}) == count
    assert (threading.get_ident() in by) == (count == 1)
