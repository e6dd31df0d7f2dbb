"""Vectors of the host, as LLVM IR: how wide they are, and the few operations that the kernels are written in.

Everything here works on pointers; whoever calls it answers for the bounds. NUMBA_CNN_VECTOR_BITS (128, 256 or 512)
overrides the width, which is otherwise the widest that the host computes with at full rate.
"""

import os

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, errors, types

INT32, INT64 = ir.IntType(32), ir.IntType(64)


def _host_bits():
    override = os.environ.get("NUMBA_CNN_VECTOR_BITS", "")
    if override:
        if override not in ("128", "256", "512"):
            raise ValueError(f"NUMBA_CNN_VECTOR_BITS must be 128, 256 or 512. Received: {override!r}")
        return int(override)
    if config.CPU_NAME:  # numba compiles for another processor than this one
        return 128
    features = llvm.get_host_cpu_features()
    return 512 if features.get("avx512f") else 256 if features.get("avx2") else 128


BITS = _host_bits()
REGISTERS = 16 if BITS == 256 or llvm.get_default_triple().startswith("x86") and BITS == 128 else 32


def int32(value):
    return ir.Constant(INT32, value)


def int64(value):
    return ir.Constant(INT64, value)


def lanes(dtype):
    """How many elements of a NumPy float type fill a vector."""
    return BITS // (8 * np.dtype(dtype).itemsize)


class Vectors:
    """The vector operations for one element type, bound to a builder: load, store, splat, fma and what follows."""

    def __init__(self, builder, dtype):
        self.builder = builder
        self.element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[dtype]
        self.align = dtype.bitwidth // 8
        self.lanes = BITS // dtype.bitwidth
        self.name = f"v{self.lanes}f{dtype.bitwidth}"
        self.type = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)

    def load(self, pointer, mask=None):
        """The vector at the pointer; with a mask, 0 in the lanes that it leaves out, which are not touched."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is not None:
            arguments = [pointer, int32(self.align), mask, self.zero]
            return self._call(f"llvm.masked.load.{self.name}.p0", arguments, self.type)
        value = self.builder.load(pointer)
        value.align = self.align
        return value

    def store(self, value, pointer, mask=None):
        """Write the vector, or only the lanes of the mask."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is not None:
            arguments = [value, pointer, int32(self.align), mask]
            self._call(f"llvm.masked.store.{self.name}.p0", arguments, ir.VoidType())
        else:
            self.builder.store(value, pointer).align = self.align

    def splat(self, scalar):
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, int32(0))
        zeros = ir.Constant(ir.VectorType(INT32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def fma(self, a, b, c):
        """a * b + c, fused where the host can."""
        return self._call(f"llvm.fmuladd.{self.name}", [a, b, c], self.type)

    def mask(self, count):
        """The mask of the first `count` lanes."""
        wide = ir.VectorType(INT32, self.lanes)
        first = self.builder.insert_element(
            ir.Constant(wide, ir.Undefined), self.builder.trunc(count, INT32), int32(0)
        )
        zeros = ir.Constant(wide, [0] * self.lanes)
        counts = self.builder.shuffle_vector(first, ir.Constant(wide, ir.Undefined), zeros)
        return self.builder.icmp_unsigned("<", ir.Constant(wide, list(range(self.lanes))), counts)

    def _call(self, name, arguments, result):
        kind = ir.FunctionType(result, [a.type for a in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)


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


def pointer_to(context, builder, kind, array, offset):
    """The address of array[offset]."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])
