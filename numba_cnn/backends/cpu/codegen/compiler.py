"""How the functions of this folder are compiled and cached on disk; launch.py runs them."""

from functools import partial

from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.kernel_cache import KernelCache

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


def reassociated(body):
    """A function whose sums may be taken in any order, the same at every call: in vectors."""
    return njit(body, **{**_OPTIONS, "fastmath": {"contract", "reassoc"}})


def in_loops(body):
    """A function that loops vectorise: LLVM must not leave a call of it in one, however long it is."""
    return njit(body, forceinline=True, **_OPTIONS)


def by_address(body):
    """A function that is compiled once, on its own, and that kernels call by its address; see address_of()."""
    return cached(njit(body, **_OPTIONS))


def address_of(function, kinds):
    """The address of a jitted function for these argument types, in Numba's own calling convention."""
    if config.DISABLE_JIT:
        function()  # says so
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
    if config.DISABLE_JIT:  # Numba gave the function of Python back
        return partial(_refuse, function)
    function._cache = KernelCache(function.py_func)
    return function


def _refuse(function, *_):
    raise RuntimeError(
        "NUMBA_DISABLE_JIT is set, and kernels only run compiled: unset it. "
        f"Received: a call of {function.__name__} in Python"
    )


def on_disk(function):
    """Whether some process kept code of a cached() function."""
    return not config.DISABLE_JIT and function._cache.is_warm()


def cache_folder(function):
    """Where the code of a cached() function is kept, or None if nothing could be written."""
    return None if config.DISABLE_JIT else function._cache.cache_path
