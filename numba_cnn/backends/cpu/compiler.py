"""How the kernels of this folder are compiled, cached on disk and launched.

A kernel is a function of (worker, workers, packed): the share of the work that one thread takes. Its
arguments lie packed in memory, so that one `@njit(parallel=True)` loop, `_run`, hands out the
shares of all kernels. Compiled into a loop of its own, a kernel would be optimised four times over
by Numba's layers of wrappers, which makes the first training step wait three times as long.
"""

import contextlib
import ctypes
import hashlib
import os
import struct
import threading
from functools import lru_cache
from pathlib import Path

import numba
import numpy as np
from numba import njit, prange, types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.extending import intrinsic

from numba_cnn.backends.cpu import vector

# Products and sums may fuse. More would cost truth: reassociated, a cross-entropy of large logits lost all its digits.
_OPTIONS = {
    "fastmath": {"contract"},
    "error_model": "numpy",
    "nogil": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def inline(body):
    """A function that kernels call and that is compiled into them, once: Numba pastes it in before LLVM optimises."""
    return njit(body, inline="always", **_OPTIONS)


def small(body):
    """A function that kernels call in many places, so short that pasting takes longer than leaving it to LLVM."""
    return njit(body, **_OPTIONS)


def function(body):
    """A function that is compiled once, on its own, and that kernels call by its address; see address_of()."""
    return _cached(njit(body, **_OPTIONS))


class kernel:
    """A kernel, from the function that computes one worker's share: f(worker, workers, packed).

    Call it with (workers, ...): NumPy arrays, numbers and tuples of either, of the same types at every call but for the
    arrays' dtypes; unpack(packed) is the tuple of what follows `workers`. Launches are one at a time, since Numba's
    threading layers take no second one beside a first.
    """

    def __init__(self, body):
        self.share = function(body)
        self.compiled = {}
        _kernels.append(self)

    def __call__(self, workers, *arguments):
        if _pool_lost:
            raise RuntimeError(
                "this process was forked after its parent had started OpenMP threads, which do not "
                'survive a fork; start it with multiprocessing\'s "spawn" or "forkserver" method, or '
                "set NUMBA_THREADING_LAYER=workqueue before numba is imported. "
                "Received: a kernel launch in a forked child"
            )
        values, dtypes = [], []
        _flatten(arguments, values, dtypes)
        key = tuple(dtypes)
        with _launching:
            launch = self.compiled.get(key)
            if launch is None:
                launch = self.compiled[key] = _Launch(self.share, arguments)
            launch(workers, values)

    def is_warm(self):
        """Whether the next launch need not compile: it was compiled here, or some process cached it on disk."""
        cache = self.share._cache
        cached = isinstance(cache, _KernelCache) and cache._cache_file._load_index()
        return bool(self.compiled or cached)


class _Launch:
    """A kernel compiled for some types, and the memory through which it gets its arguments."""

    def __init__(self, share, arguments):
        kind = numba.typeof(arguments)
        self.address = address_of(share, (types.intp, types.intp, types.CPointer(kind)))
        self.layout = struct.Struct("@" + _layout(kind))
        self.memory = bytearray(self.layout.size)
        self.packed = _address_of(_at(self.memory))

    def __call__(self, workers, values):
        self.layout.pack_into(self.memory, 0, *values)
        _run(self.address, workers, self.packed)


def _flatten(arguments, values, dtypes):
    """The fields of the arguments as compiled code has them, and the dtypes of the arrays, which decide what is
    compiled."""
    for argument in arguments:
        kind = type(argument)
        if kind is np.ndarray:
            dtypes.append(argument.dtype)
            size = argument.size
            address = _address_of(_at(argument)) if size else 0
            # Numba's owner of the memory and its Python object: there are none, whoever launches keeps the array.
            values += (0, 0, size, argument.itemsize, address, *argument.shape, *argument.strides)
        elif kind is not tuple:
            values.append(argument)
        elif type(argument[0]) is np.ndarray:
            _flatten(argument, values, dtypes)
        else:
            values += argument


def _layout(kind):
    """The fields of a Numba type in memory, in the letters of the struct module."""
    if isinstance(kind, types.BaseTuple):
        return "".join(map(_layout, kind))
    if isinstance(kind, types.Array):
        return "PPqqP" + 2 * kind.ndim * "q"
    return {types.intp: "q", types.boolean: "?", types.float32: "f", types.float64: "d"}[kind]


# Where a buffer begins, _address_of(_at(buffer)); it must be contiguous and writeable.
_address_of, _at = ctypes.addressof, ctypes.c_char.from_buffer


@intrinsic
def unpack(typingctx, packed):
    """The arguments of a kernel, from the memory they were packed into."""
    kind = packed.dtype

    def codegen(context, builder, signature, values):
        return context.unpack_value(builder, kind, values[0])

    return kind(packed), codegen


def is_warm():
    """Whether kernels have been compiled on this machine before."""
    return any(kernel.is_warm() for kernel in _kernels)


def cache_folder():
    """Where compiled kernels are kept, or None if nothing could be written."""
    cache = _run._cache
    return cache.cache_path if isinstance(cache, _KernelCache) else None


def address_of(function, kinds):
    """The address of a jitted function for these argument types, in Numba's own calling convention."""
    function.compile(kinds)
    compiled = function.overloads[kinds]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


@intrinsic
def call(typingctx, address, arguments):
    """Call the function at an address from address_of() with a tuple of arguments; it returns nothing."""

    def codegen(context, builder, signature, values):
        address, packed = values
        kinds = list(arguments.types)
        emit_call(context, builder, address, kinds, cgutils.unpack_tuple(builder, packed))
        return context.get_dummy_value()

    return types.void(types.intp, arguments), codegen


def emit_call(context, builder, address, kinds, values):
    """The code of call(), for values of these types."""
    kind = context.call_conv.get_function_type(types.none, kinds)
    function = builder.inttoptr(address, kind.as_pointer())
    status, _ = context.call_conv.call_function(builder, function, types.none, kinds, values)
    with cgutils.if_unlikely(builder, status.is_error):
        context.call_conv.return_status_propagate(builder, status)


def _cached(function):
    """The jitted function, kept on disk."""
    with contextlib.suppress(RuntimeError):  # nowhere to write: every process compiles for itself
        function._cache = _KernelCache(function.py_func)
    return function


class _KernelCache(FunctionCache):
    """Numba's cache on disk, keyed by every source file of this folder and by the width of a vector as well."""

    def _index_key(self, signature, codegen):
        return *super()._index_key(signature, codegen), _fingerprint(), vector.BITS


@lru_cache
def _fingerprint():
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.glob("*.py")))).hexdigest()


@_cached
@njit(parallel=True, nogil=True)
def _run(address, workers, packed):
    for worker in prange(workers):
        call(address, (np.intp(worker), workers, packed))


def _after_fork():
    """In a forked child: a lock that no thread holds, and the truth about the thread pool."""
    global _launching, _pool_lost
    _launching = threading.Lock()
    try:
        _pool_lost = numba.threading_layer() == "omp"
    except ValueError:  # no thread was started before the fork: the child starts its own
        _pool_lost = False


_kernels: list[kernel] = []
_launching = threading.Lock()
_pool_lost = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
