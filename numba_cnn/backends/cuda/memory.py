"""Arrays on the device: made, filled from the host, wrapped from other libraries, read back."""

from functools import cache
from threading import Lock

import numpy as np

from numba_cnn.backends.cuda import dlpack
from numba_cnn.backends.cuda.copy_kernel import copy_kernel
from numba_cnn.backends.cuda.launch import launch_each, stream
from numba_cnn.backends.cuda.provider import SIMULATOR, cuda

_ALIGNMENT = 16  # bytes of the widest access


def owns(array):
    """Whether the array lives on the device: Numba's own arrays, which the simulator knows by the first name, and
    those of other libraries.
    """
    named = hasattr(array, "__cuda_ndarray__") or hasattr(array, "__cuda_array_interface__")
    return named or dlpack.on_gpu(array)


def empty(shape, dtype):
    """An array whose elements are not set yet."""
    return cuda.device_array(shape, dtype, stream=stream())


def asarray(array):
    """The array as the kernels take it: on the device, C-contiguous, 16-byte aligned; copied only
    if it is not.

    A host array is staged through pinned memory and copied on a stream of its own, while earlier
    kernels still compute.
    """
    if isinstance(array, np.ndarray):
        return _upload(array)
    if not owns(array):
        raise TypeError(f"expected a NumPy array or one on a GPU. Received: {type(array).__name__}")
    if not hasattr(array, "__cuda_ndarray__"):
        interface = hasattr(array, "__cuda_array_interface__")
        array = cuda.as_cuda_array(array if interface else dlpack.Imported(array))
    return array if _ready(array) else _contiguous(array)


def to_numpy(array):
    """A copy on the host, once the kernels that make the array are done."""
    return asarray(array).copy_to_host()


def host_memory(size, dtype):
    """Zeros on the host, in pinned memory."""
    memory = cuda.pinned_array(size, dtype)
    memory.fill(0)
    return memory


def start_copy(array, into):
    """Begin to copy to the host, behind the kernels that make the array; synchronize() waits for it."""
    asarray(array).copy_to_host(into, stream=stream())


def to_dlpack(array):
    """The array for a library that speaks DLPack, without a copy, once the kernels that make it are
    done.
    """
    synchronize()
    return dlpack.Exported(array)


def synchronize():
    """Wait for everything that was started."""
    cuda.synchronize()


def _ready(array):
    aligned = SIMULATOR or array.device_ctypes_pointer.value % _ALIGNMENT == 0
    return aligned and array.is_c_contiguous()


def _contiguous(array):
    copied = empty(array.shape, array.dtype)
    launch_each(copy_kernel, array.size, array, copied)
    return copied


class _Stage:
    """A pinned buffer and the event that says when its last copy has left it."""

    def __init__(self):
        self.buffer = None
        self.copied = cuda.event()

    def fill(self, array):
        """The array's content in pinned memory."""
        if self.buffer is None or self.buffer.nbytes < array.nbytes:
            self.buffer = cuda.pinned_array(array.nbytes, np.uint8)
        else:
            self.copied.synchronize()
        staged = self.buffer[: array.nbytes].view(array.dtype).reshape(array.shape)
        staged[...] = array
        return staged


@cache
def _stages():
    """Two stages, so that one batch can be staged while the other is on its way."""
    return [_Stage(), _Stage()]


@cache
def _copies():
    return cuda.stream()


_lock = Lock()


def _upload(array):
    """A device copy of a host array; kernels wait for it, the host does not."""
    device = cuda.device_array(array.shape, array.dtype, stream=stream())
    with _lock:
        stages = _stages()
        stages.reverse()
        stage = stages[0]
        device.copy_to_device(stage.fill(array), stream=_copies())
        stage.copied.record(_copies())
        stage.copied.wait(stream())
    return device
