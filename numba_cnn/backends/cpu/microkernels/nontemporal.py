"""Which outputs are written past the caches, and how loops that LLVM vectorizes do it.

To write a line, a cache reads it first, and an output that is larger than the cache leaves it before anybody reads
it: memory then moves half as much again, or twice as much.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from numba_cnn.backends.cpu.codegen.arrays import is_aligned, lanes_of
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import CACHE_LINE
from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import align_stack, int64

NONTEMPORAL_BYTES = 1 << 22  # bytes, at least: about one core's part of the last cache
STAGED = 1024  # elements that a loop makes in the first cache before they go past all of them


@noinline
def bypasses_caches(array, columns):
    """Whether an array is, whose rows have so many columns: whole vectors, all aligned."""
    large = array.size * array.itemsize >= NONTEMPORAL_BYTES
    return large and columns % lanes_of(array) == 0 and is_aligned(array)


@noinline
def run_bypasses_caches(array, run):
    """Whether a run of a flat array's elements is, of whatever length."""
    return array.size * array.itemsize >= NONTEMPORAL_BYTES and is_aligned(run)


@intrinsic
def stage_of(typingctx, array):
    """A flat array of STAGED elements of the same type, on the stack of the function that asks for it."""
    result = types.Array(array.dtype, 1, "C")

    def codegen(context, builder, signature, values):
        align_stack(builder)
        element = context.get_data_type(array.dtype)
        with builder.goto_entry_block():
            stage = builder.alloca(ir.ArrayType(element, STAGED))
        stage.align = CACHE_LINE
        made = context.make_array(result)(context, builder)
        item = int64(array.dtype.bitwidth // 8)
        data = builder.bitcast(stage, element.as_pointer())
        populate_array(
            made, data=data, shape=[int64(STAGED)], strides=[item], itemsize=item, meminfo=None
        )
        return made._getvalue()

    return result(array), codegen


@emitted(source="a", target="a", count="n", staged="?")
def write_past(v, source, target, count, staged):
    """target[i] = source[i] for i < count, past the caches as far as vectors are whole, if they were `staged`; the
    target is aligned.

    source, target   (array, start)
    """
    b = v.builder
    whole = b.and_(count, int64(-v.lanes))
    with b.if_then(staged):
        with v.steps(int64(0), whole) as (i, _):
            v.store_nontemporal(v.load(b.gep(source, [i])), b.gep(target, [i]))
        with b.if_then(b.icmp_signed("<", whole, count)):
            mask = v.mask(b.sub(count, whole))
            v.store(v.load(b.gep(source, [whole]), mask), b.gep(target, [whole]), mask)
