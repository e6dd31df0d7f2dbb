"""Kernels that run alone, in the thread that calls them: what threads of Python do while others launch."""

import struct

import numba
import numpy as np
from numba import njit, types

from numba_cnn.backends.cpu.codegen.compiler import address_of, cached, call
from numba_cnn.backends.cpu.runtime.launch import (
    address_of_buffer,
    fields_of,
    flatten,
    kernel,
    launching,
)


class serial(kernel):
    """A kernel without scratch that does all of its work in the calling thread, which holds no lock meanwhile.

    Call it with (...). It is not recorded, and does not wait for launches of other threads.
    """

    def __call__(self, *arguments):
        values, signature = [], []
        flatten(arguments, values, signature)
        key = tuple(signature)
        compiled = self.compiled.get(key)
        if compiled is None:
            with launching():
                kind = numba.typeof(arguments)
                kinds = (types.intp, types.intp, types.intp, types.CPointer(kind))
                compiled = address_of(self.share, kinds), struct.Struct("@" + fields_of(kind))
                self.compiled[key] = compiled
        address, layout = compiled
        memory = bytearray(layout.pack(*values))
        _run(np.intp(address), np.intp(address_of_buffer(memory)))


@cached
@njit(nogil=True)
def _run(address, packed):
    call(address, (0, 1, 0, packed))
