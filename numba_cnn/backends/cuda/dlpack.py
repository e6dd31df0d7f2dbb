"""DLPack in and out without copies, for libraries that speak it and not __cuda_array_interface__.

The structures are those of dlpack.h, version 0: a capsule named "dltensor" holds a pointer to a
DLManagedTensor, whose consumer renames the capsule and calls the deleter once it is done. Source:
https://dmlc.github.io/dlpack/latest/c_api.html
"""

import ctypes
from itertools import accumulate
from operator import mul

import numpy as np

CPU, CUDA, MANAGED = 1, 2, 13  # device types; managed memory is read by host and GPU
_KINDS = {0: "i", 1: "u", 2: "f"}
_CODES = {kind: code for code, kind in _KINDS.items()}


class _Device(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int32), ("id", ctypes.c_int32))


class _Dtype(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _Dtype),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Managed))
_Managed._fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter))

_api = ctypes.pythonapi
_new = _api.PyCapsule_New
_new.restype, _new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_pointer = _api.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
_rename = _api.PyCapsule_SetName
_rename.argtypes = (ctypes.py_object, ctypes.c_char_p)

_USED = b"used_dltensor"
_lent: dict = {}  # what a consumer still holds, by the address of its structure


class Exported:
    """An array that other libraries can take by DLPack: torch.from_dlpack(Exported(array))."""

    def __init__(self, array, device=CUDA):
        self.array, self.device = array, device

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, *, stream=None, **_):
        """A capsule. The caller must have waited for the kernels that make the array
        (synchronize()).
        """
        array = self.array
        kind, bits = _CODES[array.dtype.kind], 8 * array.dtype.itemsize
        shape = (ctypes.c_int64 * len(array.shape))(*array.shape)
        steps = [1, *accumulate(reversed(array.shape[1:]), mul)][: len(array.shape)]
        strides = (ctypes.c_int64 * len(array.shape))(*reversed(steps))
        address = _address(array)
        dtype = _Dtype(kind, bits, 1)
        tensor = _Tensor(address, _Device(self.device, 0), len(shape), dtype, shape, strides, 0)
        managed = _Managed(tensor, None, _give_back)
        _lent[ctypes.addressof(managed)] = (managed, shape, strides, array)
        return _new(ctypes.addressof(managed), b"dltensor", None)


@_Deleter
def _give_back(managed):
    _lent.pop(ctypes.addressof(managed.contents), None)


def _address(array):
    if hasattr(array, "__cuda_array_interface__"):
        return array.__cuda_array_interface__["data"][0]
    return array.__array_interface__["data"][0]


def on_gpu(array):
    """Whether the array offers DLPack, and memory that the GPU reads."""
    device = getattr(array, "__dlpack_device__", None)
    return device is not None and int(device()[0]) in (CUDA, MANAGED)


class Imported:
    """Another library's array seen through its capsule; it has a __cuda_array_interface__ for Numba
    to wrap.
    """

    def __init__(self, source):
        self.on_gpu = on_gpu(source)
        capsule = source.__dlpack__()
        self._managed = _Managed.from_address(_pointer(capsule, b"dltensor"))
        _rename(capsule, _USED)
        tensor = self._managed.tensor
        self.shape = tuple(tensor.shape[: tensor.ndim])
        self.dtype = _dtype(tensor.dtype)
        strides = None
        if tensor.strides:
            strides = tuple(self.dtype.itemsize * s for s in tensor.strides[: tensor.ndim])
        self.interface = {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (tensor.data + tensor.byte_offset, False),
            "strides": strides,
            "version": 3,
        }

    @property
    def __cuda_array_interface__(self):
        if not self.on_gpu:
            raise AttributeError("the array does not live on a GPU")
        return self.interface

    def __del__(self):
        managed = getattr(self, "_managed", None)
        if managed is not None and managed.deleter:
            managed.deleter(ctypes.pointer(managed))


def _dtype(received):
    if received.code not in _KINDS or received.lanes != 1:
        raise TypeError(
            "expected integers or floats, one an element. Received: DLPack's dtype "
            f"code {received.code}, {received.bits} bits, {received.lanes} lanes"
        )
    return np.dtype(f"{_KINDS[received.code]}{received.bits // 8}")
