"""How the kernels of this folder are compiled, cached on disk and launched.

A kernel is a function of (worker, workers, ...): the share of the work that one thread takes. Each
is compiled once, and one `@njit(parallel=True)` loop, `_run`, hands out the shares. Compiled into
the loop instead, a kernel would be optimised four times over by Numba's layers of wrappers, which
makes the first training step wait three times as long.
"""

import contextlib
import hashlib
import os
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
    """A function that kernels call and that is compiled into them."""
    return njit(body, **_OPTIONS)


def function(body):
    """A function that is compiled once, on its own, and that kernels call by its address; see address_of()."""
    compiled = njit(body, **_OPTIONS)
    _use_cache(compiled)
    return compiled


class kernel:
    """A kernel, from the function that computes one worker's share: f(worker, workers, ...).

    Call it with (workers, ...): NumPy arrays, integers, floats, tuples of integers. Launches are one at a time, since
    Numba's threading layers take no second one beside a first.
    """

    def __init__(self, body):
        self.share = function(body)
        self.addresses = {}
        _kernels.append(self)

    def __call__(self, workers, *arguments):
        if _pool_lost:
            raise RuntimeError(
                "this process was forked after its parent had started OpenMP threads, which do not "
                'survive a fork; start it with multiprocessing\'s "spawn" or "forkserver" method, or '
                "set NUMBA_THREADING_LAYER=workqueue before numba is imported. "
                "Received: a kernel launch in a forked child"
            )
        with _launching:
            flat, key = _flatten(arguments)
            address = self.addresses.get(key)
            if address is None:
                address = self.addresses[key] = self._compile(arguments)
            _run(address, workers, flat)

    def _compile(self, arguments):
        kinds = (types.intp, types.intp, *map(numba.typeof, arguments))
        return address_of(self.share, kinds)

    def is_warm(self):
        """Whether the next launch need not compile: it was compiled here, or some process cached it on disk."""
        cache = self.share._cache
        cached = isinstance(cache, _KernelCache) and cache._cache_file._load_index()
        return bool(self.addresses or cached)


def is_warm():
    """Whether kernels have been compiled on this machine before."""
    return any(kernel.is_warm() for kernel in _kernels)


def _flatten(arguments):
    """The arguments with tuples opened up, and the dtypes of the arrays among them, which decide what is compiled.

    To machine code a tuple's elements are arguments like any other, and parallel loops take no tuples.
    """
    flat, key = [], []
    for argument in arguments:
        if type(argument) is tuple:
            flat.extend(argument)
        else:
            flat.append(argument)
            if type(argument) is np.ndarray:
                key.append(argument.dtype.char)
    return tuple(flat), "".join(key)


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
        unpacked = cgutils.unpack_tuple(builder, packed, len(kinds))
        kind = context.call_conv.get_function_type(types.none, kinds)
        function = builder.inttoptr(address, kind.as_pointer())
        status, _ = context.call_conv.call_function(builder, function, types.none, kinds, unpacked)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.intp, arguments), codegen


def _use_cache(function):
    with contextlib.suppress(RuntimeError):  # nowhere to write: every process compiles for itself
        function._cache = _KernelCache(function.py_func)


class _KernelCache(FunctionCache):
    """Numba's cache on disk, keyed by every source file of this folder and by the width of a vector as well."""

    def _index_key(self, signature, codegen):
        return *super()._index_key(signature, codegen), _fingerprint(), vector.BITS


@lru_cache
def _fingerprint():
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.glob("*.py")))).hexdigest()


@njit(parallel=True, nogil=True)
def _run(address, workers, arguments):
    for worker in prange(workers):
        call(address, (np.intp(worker), workers, *arguments))


def _after_fork():
    """In a forked child: a lock that no thread holds, and the truth about the thread pool."""
    global _launching, _pool_lost
    _launching = threading.Lock()
    try:
        _pool_lost = numba.threading_layer() == "omp"
    except ValueError:  # no thread was started before the fork: the child starts its own
        _pool_lost = False


_use_cache(_run)
_kernels: list[kernel] = []
_launching = threading.Lock()
_pool_lost = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
