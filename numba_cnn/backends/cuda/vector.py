"""Flat and 128-bit accesses to arrays of any rank: the only file of this backend that knows LLVM.

An offset counts elements from the start of a C-contiguous array; nothing wraps around at negative
ones. Where nothing compiles, twins in Python do the same and refuse what the hardware would refuse:
a 128-bit access that is not aligned.
"""

from numba_cnn.backends.cuda.provider import COMPILER, intrinsic, types

if COMPILER:
    from llvmlite import ir

    _LANE = ir.IntType(32)
    _GLOBAL = 1  # the address space of device arrays

    def _pointer(context, builder, kind, array, offset):
        """The address of one element, whose size is that of the array's dtype."""
        data = context.make_array(kind)(context, builder, value=array).data
        return builder.gep(data, [offset])

    def _takes(array, offset, *dtypes):
        """Whether the types fit: LLVM's pointers know neither dtype nor layout, so both are refused
        here.
        """
        return (
            isinstance(array, types.Array)
            and array.layout == "C"
            and array.dtype in (dtypes or (array.dtype,))
            and isinstance(offset, types.Integer)
        )

    @intrinsic
    def load(typing, array, offset):
        """array.flat[offset]"""
        if not _takes(array, offset):
            return None

        def generate(context, builder, signature, arguments):
            pointer = _pointer(context, builder, signature.args[0], *arguments)
            return builder.load(pointer)

        return array.dtype(array, offset), generate

    @intrinsic
    def store(typing, array, offset, value):
        """array.flat[offset] = value"""
        if not _takes(array, offset):
            return None

        def generate(context, builder, signature, arguments):
            pointer = _pointer(context, builder, signature.args[0], *arguments[:2])
            builder.store(arguments[2], pointer)
            return context.get_dummy_value()

        return types.void(array, offset, array.dtype), generate

    @intrinsic
    def address(typing, array, offset):
        """Where array.flat[offset] lies, in bytes: a loop that keeps addresses need not make them
        anew from base and offset at every access.
        """
        if not _takes(array, offset):
            return None

        def generate(context, builder, signature, arguments):
            pointer = _pointer(context, builder, signature.args[0], *arguments)
            return builder.ptrtoint(pointer, ir.IntType(64))

        return types.int64(array, offset), generate

    def _at(builder, place):
        """The pointer into global memory of an address."""
        return builder.inttoptr(place, ir.FloatType().as_pointer(_GLOBAL))

    def _four(context, builder, signature, pointer):
        """Four floats in one access, as a tuple."""
        vector = ir.VectorType(ir.FloatType(), 4).as_pointer(pointer.type.addrspace)
        loaded = builder.load(builder.bitcast(pointer, vector), align=16)
        lanes = [builder.extract_element(loaded, ir.Constant(_LANE, i)) for i in range(4)]
        return context.make_tuple(builder, signature.return_type, lanes)

    @intrinsic
    def load_at(typing, array, place):
        """The element of the array, in global memory, at an address."""
        if not _takes(array, place, types.float32):
            return None

        def generate(context, builder, signature, arguments):
            return builder.load(_at(builder, arguments[1]))

        return types.float32(array, place), generate

    @intrinsic
    def load4_at(typing, array, place):
        """The four elements of float32 from an address on, which must be a multiple of 16."""
        if not _takes(array, place, types.float32):
            return None

        def generate(context, builder, signature, arguments):
            return _four(context, builder, signature, _at(builder, arguments[1]))

        return types.UniTuple(types.float32, 4)(array, place), generate

    @intrinsic
    def load4(typing, array, offset):
        """array.flat[offset : offset + 4] of float32 in one access; the offset must be a multiple
        of 4.
        """
        if not _takes(array, offset, types.float32):
            return None

        def generate(context, builder, signature, arguments):
            pointer = _pointer(context, builder, signature.args[0], *arguments)
            return _four(context, builder, signature, pointer)

        return types.UniTuple(types.float32, 4)(array, offset), generate

    @intrinsic
    def store4(typing, array, offset, v0, v1, v2, v3):
        """array.flat[offset : offset + 4] = v0, v1, v2, v3 in one access; the offset must be a
        multiple of 4.
        """
        if not _takes(array, offset, types.float32):
            return None

        def generate(context, builder, signature, arguments):
            pointer = _pointer(context, builder, signature.args[0], *arguments[:2])
            vector = ir.VectorType(ir.FloatType(), 4)
            packed = ir.Constant(vector, ir.Undefined)
            for i, value in enumerate(arguments[2:]):
                packed = builder.insert_element(packed, value, ir.Constant(_LANE, i))
            target = builder.bitcast(pointer, vector.as_pointer(pointer.type.addrspace))
            builder.store(packed, target, align=16)
            return context.get_dummy_value()

        return types.void(array, offset, *[types.float32] * 4), generate

else:

    def load(array, offset):
        """array.flat[offset]"""
        return array.reshape(array.size)[offset]

    def store(array, offset, value):
        """array.flat[offset] = value"""
        array.reshape(array.size)[offset] = value

    def address(array, offset):
        """Where array.flat[offset] lies, in bytes."""
        return offset * array.dtype.itemsize

    def load_at(array, place):
        """The element at an address."""
        return load(array, place // array.dtype.itemsize)

    def load4_at(array, place):
        """The four elements from an address on."""
        return load4(array, place // array.dtype.itemsize)

    def load4(array, offset):
        """array.flat[offset : offset + 4] in one access."""
        flat = _aligned(array, offset)
        return flat[offset], flat[offset + 1], flat[offset + 2], flat[offset + 3]

    def store4(array, offset, v0, v1, v2, v3):
        """array.flat[offset : offset + 4] = v0, v1, v2, v3 in one access."""
        flat = _aligned(array, offset)
        for lane, value in enumerate((v0, v1, v2, v3)):
            flat[offset + lane] = value

    def _aligned(array, offset):
        if offset % 4:
            raise ValueError(f"a 128-bit access starts at a multiple of 4. Received: {offset}")
        return array.reshape(array.size)
