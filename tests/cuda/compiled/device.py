"""A device for the library made of the interpreter: its arrays are NumPy's, its launches execute
the compiled PTX.
"""

import time
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from numba import cuda
from ptx import Buffer, Program, Statistics, execute
from toolchain import ptx_of, type_of


class DeviceArray(Buffer):
    """What the library asks of a device array, over memory that the interpreter watches."""

    __cuda_ndarray__ = True
    device_ctypes_pointer = SimpleNamespace(value=0)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    size = property(lambda self: self.array.size)
    ndim = property(lambda self: self.array.ndim)

    def is_c_contiguous(self):
        return self.array.flags.c_contiguous

    def __getitem__(self, index):
        """A part that begins at the first element, in the same memory."""
        part = self.view(self.shape)
        part.array = self.array[index]
        assert part.array.ctypes.data == self.array.ctypes.data
        return part

    def reshape(self, *shape):
        return self.view(shape[0] if isinstance(shape[0], tuple) else shape)

    def copy_to_device(self, array, stream=None):
        self.array[...] = array
        self.defined[...] = True

    def copy_to_host(self):
        if not self.defined.all():
            raise AssertionError(f"{(~self.defined).sum()} of {self.size} elements never written")
        return self.array.copy()


class Launch(NamedTuple):
    """One launch as the library made it."""

    kernel: str
    grid: tuple
    threads: int
    seconds: float
    statistics: Statistics | None


class Device:
    """Stands in for the driver: install() it, and what the library launches is executed here and
    kept in `launches`.
    """

    def __init__(self):
        self.launches, self.texts = [], set()
        self.counts = False  # whether launches keep statistics, which takes its time

    def install(self, patch):
        """Put the device in the driver's place through pytest's monkeypatch."""
        event = SimpleNamespace(
            record=lambda stream: None, wait=lambda stream: None, synchronize=lambda: None
        )
        fakes = {
            "device_array": lambda shape, dtype, stream: DeviceArray(np.zeros(shape, dtype), False),
            "pinned_array": np.empty,
            "stream": object,
            "event": lambda: event,
            "synchronize": lambda: None,
        }
        for name, fake in fakes.items():
            patch.setattr(cuda, name, fake)
        provider = import_module("numba_cnn.backends.cuda.provider")
        patch.setattr(provider, "why_unavailable", lambda: None)
        launch = import_module("numba_cnn.backends.cuda.launch")
        patch.setattr(launch, "_configured", self._configured)

    def _configured(self, kernel, grid, threads):
        return lambda *arguments: self._launch(kernel, grid, threads, arguments)

    def _launch(self, kernel, grid, threads, arguments):
        signature = tuple(map(type_of, arguments))
        program = _program(kernel, signature)
        self.texts.add(ptx_of(kernel, signature))
        statistics = Statistics() if self.counts else None
        start = time.perf_counter()
        execute(program, arguments, grid, threads, statistics)
        grid = grid if isinstance(grid, tuple) else (grid,)
        seconds = time.perf_counter() - start
        self.launches.append(Launch(kernel.py_func.__name__, grid, threads, seconds, statistics))


@cache
def _program(kernel, signature):
    return Program(ptx_of(kernel, signature))
