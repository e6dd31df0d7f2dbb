"""How the functions of this folder are compiled and cached on disk; launch.py runs them."""

import contextlib
import hashlib
from functools import lru_cache
from pathlib import Path

from numba import njit, types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen import host

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


def noinline(body):
    """A function that kernels call in many places, so short that pasting takes longer than leaving it to LLVM."""
    return njit(body, **_OPTIONS)


def by_address(body):
    """A function that is compiled once, on its own, and that kernels call by its address; see address_of()."""
    return cached(njit(body, **_OPTIONS))


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


def cached(function):
    """The jitted function, kept on disk."""
    with contextlib.suppress(RuntimeError):  # nowhere to write: every process compiles for itself
        function._cache = _KernelCache(function.py_func)
    return function


def on_disk(function):
    """Whether some process kept code of a cached() function."""
    cache = function._cache
    return isinstance(cache, _KernelCache) and bool(cache._cache_file._load_index())


def cache_folder(function):
    """Where the code of a cached() function is kept, or None if nothing could be written."""
    cache = function._cache
    return cache.cache_path if isinstance(cache, _KernelCache) else None


class _KernelCache(FunctionCache):
    """Numba's cache on disk, keyed by every source file of this folder and by the width of a vector as well."""

    def _index_key(self, signature, codegen):
        return *super()._index_key(signature, codegen), _fingerprint(), host.VECTOR_BITS


@lru_cache
def _fingerprint():
    folder = Path(__file__).parents[1]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.rglob("*.py")))).hexdigest()
