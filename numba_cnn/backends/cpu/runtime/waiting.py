"""Where threads wait for one another: awake at first, since waking one takes longer than many kernels run."""

import sys

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.compiler import call

SPINS_BEFORE_YIELD = 1000  # polls of a launch's counter before the thread yields its processor
# Who has waited that long waits for a thread that another one keeps from its processor, such as one that decodes
# images. Who sleeps, be it for a moment, leaves its own processor to that one: the system moves it at once, else after
# milliseconds. fit from image files took a fifteenth less.
SPINS_BEFORE_SLEEP = 5 * SPINS_BEFORE_YIELD

# Microseconds: short at first, since data may be ready soon; not short for long, since each wakes who makes the data.
FIRST_SLEEP, LAST_SLEEP = 50, 800


@njit(nogil=True)
def wait(done, place, pieces, deferred, taken):
    """Look for the last of a launch's pieces, do a share of what was put deferred, or, from time to time, let others
    have the processor: those that wait for it first, then any."""
    spins = 0
    while read(done, place) < pieces:
        if do_deferred(deferred, taken):
            continue
        spins += 1
        if spins % SPINS_BEFORE_YIELD == 0:
            if spins < SPINS_BEFORE_SLEEP:
                yield_processor()
            else:
                sleep(1)


@njit(nogil=True)
def give_way(last, threads, busy, done, place, pieces):
    """Sleep while the threads that make data, `busy[0]` of them, need the processor of the thread that is the `last`
    but so many; the first thread goes on, and does all of the launch."""
    length = FIRST_SLEEP
    while last < threads and last <= read(busy, 0) and read(done, place) < pieces:
        sleep(length)
        length = min(2 * length, LAST_SLEEP)


@njit(nogil=True)
def do_deferred(deferred, taken):
    """Do one share of what was put deferred, if any is left; taken[0] counts them."""
    if len(deferred) == 0 or read(taken, 0) >= deferred[0, 1]:
        return False
    share = add_one(taken, 0)
    if share < deferred[0, 1]:
        call(deferred[0, 0], (share, deferred[0, 1], 0, deferred[0, 2]))
    return True


@intrinsic
def add_one(typingctx, counts, place):
    """counts[place], which is one more from then on; no two threads get the same number.

    Who reads the new number sees what this thread wrote before.
    """

    def codegen(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", builder.gep(data, [values[1]]), one, "acq_rel")

    return types.int64(counts, types.intp), codegen


@intrinsic
def read(typingctx, counts, place):
    """counts[place], as add_one() left it last, after a moment's rest."""

    def codegen(context, builder, signature, values):
        if llvm.get_default_triple().startswith("x86"):
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        return builder.load_atomic(builder.gep(data, [values[1]]), "acquire", 8)

    return types.int64(counts, types.intp), codegen


if sys.platform == "win32":  # it lets others have it by itself

    @njit
    def yield_processor():
        pass

    @njit
    def sleep(microseconds):
        pass
else:
    yield_processor = types.ExternalFunction("sched_yield", types.int32())
    sleep = types.ExternalFunction("usleep", types.int32(types.uint32))
