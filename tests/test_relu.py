"""ReLU: known answers at 0, at NaN and at infinity, and long and odd lengths."""

import numpy as np
import pytest
from cases import DTYPES

from numba_cnn import ops


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7, 5, 3), (1, 50_003)])
def test_against_numpy(dtype, shape):
    rng = np.random.default_rng(3)
    x, dy = (np.asarray(rng.standard_normal(shape), dtype) for _ in range(2))
    y = ops.relu(x)
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(ops.relu_backward(dy, y), dy * (x > 0))
    assert y.dtype == dtype


def test_special_values():
    x = np.array([-0.0, 0, np.nan, np.inf, -np.inf, 1e-45], np.float32)
    y = ops.relu(x)
    np.testing.assert_array_equal(y, np.array([0, 0, np.nan, np.inf, 0, 1e-45], np.float32))
    dx = ops.relu_backward(np.ones(6, np.float32), y)
    np.testing.assert_array_equal(dx, [0, 0, 0, 1, 0, 1])


def test_bad_input():
    with pytest.raises(TypeError, match="Received: x int64"):
        ops.relu(np.ones(3, np.int64))
    with pytest.raises(TypeError, match="Received: dy float64, y float32"):
        ops.relu_backward(np.ones(3), np.ones(3, np.float32))
    with pytest.raises(ValueError, match=r"dy must have shape \(3,\)"):
        ops.relu_backward(np.ones(4), np.ones(3))


def test_arrays_of_every_kind(tmp_path):
    """Files in memory, views that nobody may write to, every other element: the same answer, the input untouched."""
    whole = np.linspace(-1, 1, 40, dtype=np.float32)
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(40,))
    mapped[:] = whole
    frozen = whole.copy()
    frozen.flags.writeable = False
    for x in (mapped, frozen, whole[::2], whole[::-1], np.frombuffer(whole.tobytes(), np.float32)):
        before = np.array(x)
        np.testing.assert_array_equal(ops.relu(x), np.maximum(before, 0))
        np.testing.assert_array_equal(x, before)
