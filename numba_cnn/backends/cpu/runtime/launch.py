"""How kernels get their arguments and their threads.

A kernel is a function of (share, shares, thread, packed): it does one share of the work, in the scratch
that belongs to the thread. Its arguments lie packed in memory, so that one `@njit(parallel=True)`
loop, scheduler.py's, hands out the shares of all kernels. Compiled into a loop of its own, a kernel would be
optimised four times over by Numba's layers of wrappers, which makes the first training step wait
three times as long. And a list of launches is a table of numbers, which launch_graph.py runs again and again.
"""

import contextlib
import ctypes
import os
import struct
import sys
import threading

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from numba_cnn import busy
from numba_cnn.backends.cpu.codegen import compiler
from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, on_disk
from numba_cnn.backends.cpu.codegen.vector import align_stack
from numba_cnn.backends.cpu.runtime.scheduler import run_table
from numba_cnn.backends.cpu.runtime.threads import threads_for


class kernel:
    """A kernel, from the function that computes one share: f(share, shares, thread, packed).

    Call it with (threads, ...): NumPy arrays, numbers and tuples of either; unpack(packed) is the tuple of what follows
    `threads`. Each combination of types is compiled for itself. Bits must not depend on the number of shares. While
    this thread records, the call is noted down and nothing runs.
    """

    def __init__(self, body):
        self.name = body.__name__
        self.share = by_address(body)
        self.compiled = {}
        _kernels.append(self)

    def __call__(self, threads, *arguments):
        values, signature = [], []
        flatten(arguments, values, signature)
        key = tuple(signature)
        launch = self.compiled.get(key)
        if launch is None:
            with launching():
                launch = self.compiled[key] = _Launch(self.share, arguments)
        if _here.note is not None:
            _refuse_strangers()
            _here.note(launch, threads, values, arguments)
            return
        with launching():
            launch(threads, values)


class elementwise(kernel):
    """A kernel that does the same to each element of its arrays, which are of one size, and come first.

    Call it with (...): it gets the arrays flat, and as many threads as their size is worth.
    """

    def __call__(self, *arguments):
        size = arguments[0].size
        flat = []
        for argument in arguments:
            if type(argument) is np.ndarray:
                if argument.size != size:
                    sizes = [a.size for a in arguments if type(a) is np.ndarray]
                    raise ValueError(f"{self.name}: arrays must be of one size. Received: {sizes}")
                argument = argument.reshape(-1)
            flat.append(argument)
        super().__call__(threads_for(size), *flat)


class _Launch:
    """A kernel compiled for some types, and the memory through which it gets its arguments."""

    def __init__(self, share, arguments):
        kind = numba.typeof(arguments)
        self.address = address_of(share, (types.intp, types.intp, types.intp, types.CPointer(kind)))
        self.fields = fields_of(kind)
        self.layout = struct.Struct("@" + self.fields)
        self.memory = bytearray(self.layout.size)
        self.table = np.array([[self.address, 0, address_of_buffer(self.memory)]])

    def __call__(self, threads, values):
        self.layout.pack_into(self.memory, 0, *values)
        self.table[0, 1] = threads
        run(self.table)

    def pointers(self):
        """Where the addresses of arrays lie in the packed memory, in bytes."""
        places = [i for i, field in enumerate(self.fields) if field == "P"][2::3]
        return [struct.calcsize(f"@{self.fields[:i]}0P") for i in places]


def run(table):
    """Run launches one after the other: rows of (address of the kernel, threads, address of its packed arguments).

    And, in the time that their threads wait for one another, what this thread has deferred.
    """
    deferred = _here.deferred
    if deferred is None:
        run_table(table, _NONE, busy.count)
    else:
        _here.deferred = None
        run_table(table, deferred.table, busy.count)


def host_call(function, repeats=False):
    """Call function(), which launches nothing, between the launches before it and those behind it: now, or in every
    run of what this thread records; there, if it repeats, behind each launch from then on."""
    if _here.note is None:
        function()
    else:
        _here.note(function, None, None, repeats)


def defer(kernel, shares, *arguments):
    """Queue a kernel without scratch, cut into `shares`, to run in idle time of this thread's next launches."""
    finish_deferred()
    with recording(lambda *call: setattr(_here, "deferred", _Deferred(shares, *call))):
        kernel(1, *arguments)


def finish_deferred():
    """Run what was deferred if nothing has been launched since."""
    if _here.deferred is not None:
        with launching():
            run(_NONE)


class _Deferred:
    """A launch that waits for others, with all that it needs."""

    def __init__(self, shares, launch, _, values, arguments):
        self.memory, self.arguments = bytearray(launch.layout.size), arguments
        launch.layout.pack_into(self.memory, 0, *values)
        self.table = np.array([[launch.address, shares, address_of_buffer(self.memory)]])


def launching():
    """The lock that serialises launches: Numba's threading layers don't allow two at once.

    RuntimeError where this thread holds it: a signal's handler, or a finalizer, interrupted a launch.
    """
    if _launching._is_owned():
        raise RuntimeError(
            "a kernel cannot be launched in the middle of another launch of the same thread; let the signal's handler "
            "or finalizer set a flag, and act on it afterwards. Received: a launch inside of a launch"
        )
    if _pool_lost:
        raise RuntimeError(
            "this process was forked after its parent had started OpenMP threads, which do not "
            'survive a fork; start it with multiprocessing\'s "spawn" or "forkserver" method, or '
            "set NUMBA_THREADING_LAYER=workqueue before numba is imported. "
            "Received: a kernel launch in a forked child"
        )
    return _launching


@contextlib.contextmanager
def recording(note, modules=()):
    """What this thread launches inside is not run: note(launch, threads, values, arguments) is called instead.

    Functions of this package launch, and of the modules named; see _refuse_strangers().
    """
    before = _here.note, _here.modules, _here.recorder
    _here.note, _here.modules, _here.recorder = note, modules, sys._getframe(2)
    try:
        yield
    finally:
        _here.note, _here.modules, _here.recorder = before


def _refuse_strangers():
    """RuntimeError where the launch is not by what is recorded, but by a signal's handler or a finalizer in it."""
    frame = sys._getframe(2)
    while frame is not None and frame is not _here.recorder:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] != _PACKAGE and name not in _here.modules:
            raise RuntimeError(
                "a kernel cannot be launched while others are recorded in the same thread; let the signal's handler "
                "or finalizer set a flag, and act on it afterwards. Received: a launch inside of a recording"
            )
        frame = frame.f_back


def is_recording():
    """Whether this thread notes its launches down."""
    return _here.note is not None


def address_of_buffer(buffer):
    """Where a buffer begins; it must be contiguous and writeable."""
    return _address_of(_at(buffer))


def flatten(arguments, values, signature):
    """The fields of the arguments as compiled code has them, and what tells their types."""
    for argument in arguments:
        kind = type(argument)
        if kind is np.ndarray:
            signature.append((argument.dtype, argument.ndim))
            size = argument.size
            address = _address_of(_at(argument)) if size else 0
            # Numba's owner of the memory and its Python object: there are none, whoever launches keeps the array.
            values += (0, 0, size, argument.itemsize, address, *argument.shape, *argument.strides)
        elif not isinstance(argument, tuple):
            signature.append(kind)
            values.append(argument)
        elif any(type(part) is np.ndarray or isinstance(part, tuple) for part in argument):
            signature.append((kind, len(argument)))
            flatten(argument, values, signature)
        else:
            signature.append((kind, *map(type, argument)))
            values += argument


def fields_of(kind):
    """The fields of a Numba type in memory, in the letters of the struct module."""
    if isinstance(kind, types.BaseTuple):
        return "".join(map(fields_of, kind))
    if isinstance(kind, types.Array):
        return "PPqqP" + 2 * kind.ndim * "q"
    return {types.intp: "q", types.boolean: "?", types.float32: "f", types.float64: "d"}[kind]


_address_of, _at = ctypes.addressof, ctypes.c_char.from_buffer


@intrinsic
def unpack(typingctx, packed):
    """The arguments of a kernel, from the memory they were packed into."""
    kind = packed.dtype

    def codegen(context, builder, signature, values):
        align_stack(builder)
        return context.unpack_value(builder, kind, values[0])

    return kind(packed), codegen


def is_warm():
    """Whether kernels have been compiled on this machine before."""
    return on_disk(run_table) or any(kernel.compiled for kernel in _kernels)


def cache_folder():
    """Where compiled kernels are kept, or None if nothing could be written."""
    return compiler.cache_folder(run_table)


class _Here(threading.local):
    """What this thread does with its launches instead of running them, if it does not."""

    note = None
    modules = ()  # whose functions may launch while this thread records
    recorder = None  # the frame that records
    deferred = None  # the launch that waits for the next ones


def _after_fork():
    """In a forked child: a lock that no thread holds, and the truth about the thread pool."""
    global _launching, _pool_lost
    _launching = threading.RLock()
    try:
        _pool_lost = numba.threading_layer() == "omp"
    except ValueError:  # no thread was started before the fork: the child starts its own
        _pool_lost = False


_here = _Here()
_PACKAGE = __name__.partition(".")[0]
_NONE = np.empty((0, 3), np.int64)
_kernels: list[kernel] = []
_launching = threading.RLock()
_pool_lost = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
