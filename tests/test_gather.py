"""gather: the samples of a batch, from arrays of every kind that a user may have."""

import threading

import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import ops
from numba_cnn.backends import cpu
from numba_cnn.models import data


@pytest.mark.parametrize("shape", [(7, 5), (40, 33, 61, 3)])
@pytest.mark.parametrize("threads", [1, 2])
def test_equals_numpy(shape, threads):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    rows = rng.permutation(len(x))[:6]
    out = np.full((6, *shape[1:]), np.nan, np.float32)
    before = cpu.get_num_threads()
    nc.set_num_threads(threads)
    try:
        finite = np.zeros(6, np.bool_)
        cpu.gather(x, rows, out, finite)
    finally:
        nc.set_num_threads(before)
    np.testing.assert_array_equal(out, x[rows])
    assert finite.all()


@pytest.mark.parametrize("dtype", ["float64", "uint8", "int32", "int64"])
def test_converts(dtype):
    x = np.random.default_rng(0).integers(0, 200, (9, 50)).astype(dtype)
    out, finite = np.empty((4, 50), np.float32), np.zeros(4, np.bool_)
    cpu.gather(x, np.array([8, 0, 3, 3]), out, finite)
    np.testing.assert_array_equal(out, x[[8, 0, 3, 3]])
    assert finite.all()


@pytest.mark.parametrize("place", [0, 17, 49])
@pytest.mark.parametrize(
    ("dtype", "value"),
    [("float32", np.nan), ("float32", -np.inf), ("float64", np.nan), ("float64", 1e39)],
)
def test_finds_what_is_not_finite(dtype, value, place):
    x, finite = np.full((5, 50), -np.finfo(np.float32).max, dtype), np.zeros(3, np.bool_)
    x[2, place] = value
    cpu.gather(x, np.array([4, 2, 0]), np.empty((3, 50), np.float32), finite)
    assert finite.tolist() == [True, False, True]


class TestAside:
    x = np.random.default_rng(0).standard_normal((40, 33, 61, 3), np.float32)
    rows = np.random.default_rng(1).permutation(40)[:31]

    def put(self):
        out = np.full((31, 33, 61, 3), np.nan, np.float32)
        cpu.gather_async(self.x, self.rows, out, np.empty(31, np.bool_))
        assert np.isnan(out).all()  # nothing has run
        return out

    @pytest.mark.parametrize("threads", [1, 2])
    def test_done_with_the_next_launch(self, threads):
        before = cpu.get_num_threads()
        nc.set_num_threads(threads)
        try:
            out = self.put()
            np.testing.assert_array_equal(ops.relu(self.x), np.maximum(self.x, 0))
        finally:
            nc.set_num_threads(before)
        np.testing.assert_array_equal(out, self.x[self.rows])
        out[...] = 0
        ops.relu(self.x)
        cpu.finish_deferred()
        assert not out.any()  # once is enough

    def test_done_without_any(self):
        first, second = self.put(), self.put()
        np.testing.assert_array_equal(first, self.x[self.rows])
        cpu.finish_deferred()
        np.testing.assert_array_equal(second, self.x[self.rows])

    def test_each_thread_has_its_own(self):
        out = self.put()
        other = threading.Thread(target=ops.relu, args=(self.x,))
        other.start()
        other.join()
        assert np.isnan(out).all()
        cpu.finish_deferred()


def test_batches_of_arrays_that_kernels_do_not_take(tmp_path):
    """Read-only, mapped from a file, of another layout or type: every sample comes once, as it is."""
    x = np.random.default_rng(0).standard_normal((9, 4, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    frozen = x.copy()
    frozen.flags.writeable = False
    mapped = [np.load(tmp_path / "x.npy", mmap_mode=mode) for mode in ("r", "c")]
    swapped = x.astype(">f4")
    for given in (x, frozen, *mapped, swapped, np.asfortranarray(x), x.astype(np.float64)):
        batches = data.Batches("fit", data.Dataset((given,)), 4, cpu, 1)
        seen = np.concatenate([batch.x[0].copy() for batch in batches])
        np.testing.assert_array_equal(seen, x[np.random.default_rng((1, 0)).permutation(9)])


@pytest.mark.parametrize("seen", [1, 2])
def test_an_epoch_that_was_broken_off_leaves_nothing_in_the_next(seen):
    x = np.random.default_rng(0).standard_normal((20, 40)).astype(np.float32)
    batches = data.Batches("fit", data.Dataset((x,)), 4, cpu, 1)
    for k, _ in enumerate(batches, 1):
        if k == seen:
            break
    rows = np.random.default_rng((1, 1)).permutation(20)
    np.testing.assert_array_equal(
        np.concatenate([batch.x[0].copy() for batch in batches.epoch(1)]), x[rows]
    )
