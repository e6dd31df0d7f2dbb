"""Arrays of other libraries: stand-ins that offer what those do, over the memory of NumPy arrays."""

import ctypes

import numpy as np
import parity
import pytest
from numba import cuda as numba_cuda

from numba_cnn import backends, ops
from numba_cnn.backends import cuda
from numba_cnn.backends.cuda import dlpack


class TorchDtype:
    """What torch.float32 is to NumPy: no dtype."""


class Interface:
    """An array with __cuda_array_interface__ and a dtype that is not NumPy's."""

    dtype = TorchDtype()

    def __init__(self, array):
        self.array, self.shape = array, array.shape
        self.__cuda_array_interface__ = dict(array.__array_interface__, version=3)


class DLPackOnly:
    """An array on a device of this type, with DLPack and nothing else."""

    def __init__(self, array, device=dlpack.CUDA):
        self.array, self.device = array, device

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **settings):
        return dlpack.Exported(self.array, self.device).__dlpack__(**settings)


@pytest.fixture(autouse=True)
def driver(monkeypatch):
    """Numba's as_cuda_array, which the simulator lacks: a view of the memory that the interface names."""

    def as_cuda_array(source):
        interface = source.__cuda_array_interface__
        dtype, shape = np.dtype(interface["typestr"]), interface["shape"]
        room = np.prod(shape, dtype=int) * dtype.itemsize
        memory = (ctypes.c_char * room).from_address(interface["data"][0])
        device = numba_cuda.device_array(())
        device._ary = np.ndarray(shape, dtype, memory, strides=interface.get("strides"))
        device.owner = source
        return device

    monkeypatch.setattr(numba_cuda, "as_cuda_array", as_cuda_array, raising=False)


@pytest.fixture(params=[Interface, DLPackOnly, lambda array: DLPackOnly(array, dlpack.MANAGED)])
def foreign(request):
    return request.param


def test_arrays_enter_without_a_copy(foreign):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.shares_memory(cuda.asarray(foreign(array))._ary, array)


def test_every_argument_of_an_op_may_be_foreign(foreign):
    draw = parity.Draw()
    dy, y, labels = draw(3, 5), draw(3, 5), np.array([0, 4, 2])
    dx = ops.relu_backward(foreign(dy), foreign(y))
    np.testing.assert_array_equal(cuda.to_numpy(dx), dy * (y > 0))
    weights = np.ones(3, np.float32)
    loss, _ = ops.sparse_categorical_crossentropy(foreign(y), foreign(labels), foreign(weights))
    want, _ = ops.sparse_categorical_crossentropy(y, labels)
    np.testing.assert_allclose(cuda.to_numpy(loss), want, rtol=1e-5)
    pooled, argmax = ops.max_pool2d(draw(1, 4, 4, 2))
    dx = ops.max_pool2d_backward(foreign(pooled), foreign(argmax), (1, 4, 4, 2))
    want = ops.max_pool2d_backward(pooled, argmax, (1, 4, 4, 2))
    np.testing.assert_array_equal(cuda.to_numpy(dx), want)


def test_a_wrong_dtype_is_named(foreign):
    with pytest.raises(TypeError, match=r"all be float32 or all float64\. Received: x int32"):
        ops.relu(foreign(np.arange(3, dtype=np.int32)))


def test_a_dtype_that_numpy_lacks_is_refused(monkeypatch):
    monkeypatch.setitem(dlpack._CODES, "f", 4)  # bfloat16
    with pytest.raises(TypeError, match=r"integers or floats.*code 4, 32 bits"):
        ops.relu(DLPackOnly(np.ones(3, np.float32)))


def test_an_array_on_the_host_is_refused_with_what_to_do():
    x = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError, match=r"np\.asarray makes one of.*Received: x DLPackOnly"):
        ops.relu(DLPackOnly(x, dlpack.CPU))
    with pytest.raises(TypeError, match=r"one on a GPU\. Received: DLPackOnly"):
        cuda.asarray(DLPackOnly(x, dlpack.CPU))


def test_mixed_places_are_refused(foreign):
    x = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError, match="different backends; move them to one"):
        ops.relu_backward(foreign(x), x)


def test_without_a_driver_foreign_arrays_say_what_to_install(foreign, monkeypatch):
    monkeypatch.setattr(cuda, "why_unavailable", lambda: "what to install")
    with pytest.raises(RuntimeError, match="what to install"):
        backends.of("relu", x=foreign(np.ones(3, np.float32)))
