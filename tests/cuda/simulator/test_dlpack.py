"""DLPack's structures, proven on the CPU where NumPy speaks them too; only the device's number
differs on a GPU.
"""

import gc

import numpy as np
import pytest

from numba_cnn.backends.cuda import dlpack


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3, 5)], ids=str)
def test_numpy_takes_an_exported_array_without_a_copy(shape, dtype):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    taken = np.from_dlpack(dlpack.Exported(array, dlpack.CPU))
    np.testing.assert_array_equal(taken, array)
    assert taken.dtype == array.dtype
    assert np.shares_memory(taken, array)


def test_an_exported_array_lives_as_long_as_its_consumer():
    before = len(dlpack._lent)
    taken = np.from_dlpack(dlpack.Exported(np.arange(5.0), dlpack.CPU))
    gc.collect()
    np.testing.assert_array_equal(taken, np.arange(5.0))
    assert len(dlpack._lent) == before + 1
    del taken
    gc.collect()
    assert len(dlpack._lent) == before


def test_an_imported_array_has_the_address_shape_and_strides_of_its_source():
    array = np.arange(24, dtype=np.float32).reshape(4, 6)[:, 1:5]
    imported = dlpack.Imported(array)
    assert imported.interface == {
        "shape": (4, 4),
        "typestr": "<f4",
        "data": (array.__array_interface__["data"][0], False),
        "strides": (24, 4),
        "version": 3,
    }
    assert not imported.on_gpu
    assert not hasattr(imported, "__cuda_array_interface__")
    del imported
    gc.collect()
    np.testing.assert_array_equal(array[0], [1, 2, 3, 4])
