"""gather: the samples of a batch, from arrays of every kind that a user may have."""

import numpy as np
import pytest

import numba_cnn as nc
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
        cpu.gather(x, rows, out)
    finally:
        nc.set_num_threads(before)
    np.testing.assert_array_equal(out, x[rows])


def test_batches_of_arrays_that_kernels_do_not_take(tmp_path):
    """Read-only, mapped from a file, of another layout or type: every sample comes once, as it is."""
    x = np.random.default_rng(0).standard_normal((9, 4, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    frozen = x.copy()
    frozen.flags.writeable = False
    mapped = [np.load(tmp_path / "x.npy", mmap_mode=mode) for mode in ("r", "c")]
    for given in (x, frozen, *mapped, np.asfortranarray(x), x.astype(np.float64)):
        batches = data.Batches(data.Dataset(given), 4, cpu, np.random.default_rng(1))
        seen = np.concatenate([batch.x.copy() for batch in batches])
        np.testing.assert_array_equal(seen, x[np.random.default_rng(1).permutation(9)])
