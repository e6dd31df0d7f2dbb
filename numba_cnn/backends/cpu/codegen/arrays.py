"""What kernels ask of their arrays: how many elements are a vector, whether vectors are aligned, lines from memory."""

from numba.core import errors, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import INT64, Vectors, int64


def require_vectors(name, *arrays):
    """The element type of the arrays; refuses at typing time what would be read wrongly through a pointer."""
    dtype = arrays[0].dtype if isinstance(arrays[0], types.Array) else None
    for array in arrays:
        flat = isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"
        if not flat or array.dtype != dtype or dtype not in (types.float32, types.float64):
            raise errors.TypingError(
                f"{name}: expected flat contiguous arrays, all float32 or all float64. Received: {arrays}"
            )
    return dtype


@intrinsic
def prefetch(typingctx, array, start, count):
    """Ask for so many elements from `start` on, which need not exist, to come into the second-level cache."""

    def codegen(context, builder, signature, values):
        array, start, count = values
        v = Vectors(builder, signature.args[0].dtype)
        pointer = pointer_to(context, builder, signature.args[0], array, start)
        v.prefetch_run(pointer, count)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), codegen


@intrinsic
def is_aligned(typingctx, array):
    """Whether the array begins at a multiple of a vector's bytes."""

    def codegen(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        low = builder.and_(builder.ptrtoint(data, INT64), int64(VECTOR_BITS // 8 - 1))
        return builder.icmp_unsigned("==", low, int64(0))

    return types.boolean(array), codegen


def pointer_to(context, builder, kind, array, offset):
    """The address of array[offset]."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])


@intrinsic
def lanes_of(typingctx, array):
    """How many of the array's elements fill a vector."""
    lanes = VECTOR_BITS // array.dtype.bitwidth

    def codegen(context, builder, signature, values):
        return int64(lanes)

    return types.intp(array), codegen


@intrinsic
def shifted(typingctx, pointer, offset):
    """The address so many elements further on."""

    def codegen(context, builder, signature, values):
        return builder.gep(values[0], [values[1]])

    return pointer(pointer, offset), codegen
