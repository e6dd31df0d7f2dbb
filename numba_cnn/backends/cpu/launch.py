"""How kernels get their arguments and their threads.

A kernel is a function of (share, shares, thread, packed): it does one share of the work, in the scratch
that belongs to the thread. Its arguments lie packed in memory, so that one `@njit(parallel=True)`
loop, `_run`, hands out the shares of all kernels. Compiled into a loop of its own, a kernel would be
optimised four times over by Numba's layers of wrappers, which makes the first training step wait
three times as long. And a list of launches is a table of numbers, which graph.py runs again and again.
"""

import contextlib
import ctypes
import os
import struct
import sys
import threading

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu import compiler
from numba_cnn.backends.cpu.compiler import address_of, cached, call, function, on_disk

SHARES = 4  # per thread
LOOKS = 1000  # for the end of a launch, until a thread lets others have its processor
LINE = 8  # integers that fill a cache line, which threads had better not share


class kernel:
    """A kernel, from the function that computes one share: f(share, shares, thread, packed).

    Call it with (threads, ...): NumPy arrays, numbers and tuples of either, of the same types at every call but for the
    arrays' dtypes; unpack(packed) is the tuple of what follows `threads`. Bits must not depend on the number of shares.
    While this thread records, the call is noted down and nothing runs.
    """

    def __init__(self, body):
        self.share = function(body)
        self.compiled = {}
        _kernels.append(self)

    def __call__(self, threads, *arguments):
        values, dtypes = [], []
        _flatten(arguments, values, dtypes)
        key = tuple(dtypes)
        launch = self.compiled.get(key)
        if launch is None:
            with _launching:
                launch = self.compiled[key] = _Launch(self.share, arguments)
        if _here.note is not None:
            _here.note(launch, threads, values, arguments)
            return
        with launching():
            launch(threads, values)

    def is_warm(self):
        """Whether the next launch need not compile: it was compiled here, or some process cached it on disk."""
        return bool(self.compiled or on_disk(self.share))


class _Launch:
    """A kernel compiled for some types, and the memory through which it gets its arguments."""

    def __init__(self, share, arguments):
        kind = numba.typeof(arguments)
        self.address = address_of(share, (types.intp, types.intp, types.intp, types.CPointer(kind)))
        self.fields = _fields(kind)
        self.layout = struct.Struct("@" + self.fields)
        self.memory = bytearray(self.layout.size)
        self.table = np.array([[self.address, 0, address_of_buffer(self.memory)]])

    def __call__(self, threads, values):
        self.layout.pack_into(self.memory, 0, *values)
        self.table[0, 1] = threads
        _run(self.table)

    def pointers(self):
        """Where the addresses of arrays lie in the packed memory, in bytes."""
        places = [i for i, field in enumerate(self.fields) if field == "P"][2::3]
        return [struct.calcsize(f"@{self.fields[:i]}0P") for i in places]


def run(table):
    """Run launches one after the other: rows of (address of the kernel, threads, address of its packed arguments)."""
    _run(table)


@contextlib.contextmanager
def launching():
    """Launches are one at a time, since Numba's threading layers take no second one beside a first."""
    if _pool_lost:
        raise RuntimeError(
            "this process was forked after its parent had started OpenMP threads, which do not "
            'survive a fork; start it with multiprocessing\'s "spawn" or "forkserver" method, or '
            "set NUMBA_THREADING_LAYER=workqueue before numba is imported. "
            "Received: a kernel launch in a forked child"
        )
    with _launching:
        yield


@contextlib.contextmanager
def recording(note):
    """What this thread launches inside is not run: note(launch, threads, values, arguments) is called instead."""
    before, _here.note = _here.note, note
    try:
        yield
    finally:
        _here.note = before


def is_recording():
    """Whether this thread notes its launches down."""
    return _here.note is not None


def address_of_buffer(buffer):
    """Where a buffer begins; it must be contiguous and writeable."""
    return _address_of(_at(buffer))


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


def _fields(kind):
    """The fields of a Numba type in memory, in the letters of the struct module."""
    if isinstance(kind, types.BaseTuple):
        return "".join(map(_fields, kind))
    if isinstance(kind, types.Array):
        return "PPqqP" + 2 * kind.ndim * "q"
    return {types.intp: "q", types.boolean: "?", types.float32: "f", types.float64: "d"}[kind]


if sys.platform == "win32":  # it lets others have it by itself

    @njit
    def _yield():
        pass
else:
    _yield = types.ExternalFunction("sched_yield", types.int32())


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
    return compiler.cache_folder(_run)


@intrinsic
def _add(typingctx, counts, place):
    """counts[place], which is one more from then on; no two threads get the same number.

    Who reads the new number sees what this thread wrote before.
    """

    def codegen(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", builder.gep(data, [values[1]]), one, "acq_rel")

    return types.int64(counts, types.intp), codegen


@intrinsic
def _read(typingctx, counts, place):
    """counts[place], as _add() left it last, after a moment's rest."""

    def codegen(context, builder, signature, values):
        if llvm.get_default_triple().startswith("x86"):
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        return builder.load_atomic(builder.gep(data, [values[1]]), "acquire", 8)

    return types.int64(counts, types.intp), codegen


@njit(nogil=True)
def _wait(done, place, shares):
    """Look for the last of a launch's shares; from time to time, let others have the processor."""
    looks = 0
    while _read(done, place) < shares:
        looks += 1
        if looks % LOOKS == 0:
            _yield()


@cached
@njit(parallel=True, nogil=True)
def _run(table):
    """Each thread does its own run of shares, as near in memory as they were in the launch before, then what others
    have left, so that none waits long for one that the operating system has put aside. All launches are one parallel
    loop; between them threads wait for one another's shares, not for each other: one alone would do all of them. Each
    launch is for one thread or for as many as the others, so whoever is there can do any share."""
    launches, most = len(table), 1
    for i in range(launches):
        most = max(most, table[i, 1])
    if most == 1:
        for i in range(launches):
            call(table[i, 0], (0, 1, 0, table[i, 2]))
        return
    taken = np.empty(launches * most * LINE, np.int64)
    done = np.empty(launches * LINE, np.int64)
    for i in range(taken.size):  # a slice would be set to 0 in a parallel loop of its own
        taken[i] = 0
    for i in range(done.size):
        done[i] = 0
    for thread in prange(most):
        for i in range(launches):
            address, threads, packed = table[i, 0], table[i, 1], table[i, 2]
            each = SHARES if threads > 1 else 1
            for other in range(threads):
                run = (thread + other) % threads
                place = (i * most + run) * LINE
                share = _add(taken, place)
                while share < each:
                    share += each * run
                    call(address, (share, each * threads, np.intp(thread % threads), packed))
                    _add(done, i * LINE)
                    share = _add(taken, place)
            _wait(done, i * LINE, each * threads)


class _Here(threading.local):
    """What this thread does with its launches instead of running them, if it does not."""

    note = None


def _after_fork():
    """In a forked child: a lock that no thread holds, and the truth about the thread pool."""
    global _launching, _pool_lost
    _launching = threading.Lock()
    try:
        _pool_lost = numba.threading_layer() == "omp"
    except ValueError:  # no thread was started before the fork: the child starts its own
        _pool_lost = False


_here = _Here()
_kernels: list[kernel] = []
_launching = threading.Lock()
_pool_lost = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
