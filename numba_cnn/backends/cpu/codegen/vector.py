"""Vectors of the host, as LLVM IR: the few operations that the kernels are written in.

Everything here works on pointers; whoever calls it answers for the bounds.
"""

from functools import cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.host import CACHE_LINE, MASKS_ARE_FREE, VECTOR_BITS

INT32, INT64 = ir.IntType(32), ir.IntType(64)

# Addresses per address register: x86 addresses p, p + stride and p + 2 * stride for nothing.
GROUP = 3


def int32(value):
    return ir.Constant(INT32, value)


def int64(value):
    return ir.Constant(INT64, value)


def opaque(builder, value):
    """The same value, or group of them; an integer becomes one that LLVM does not know.

    What depends on it is computed where it stands. Before a loop over tiles LLVM would otherwise compute, at every
    call, whatever does not change of the tiles of all sizes.
    """
    if isinstance(value, tuple):
        return tuple(opaque(builder, part) for part in value)
    if value.type != INT64:
        return value
    kind = ir.FunctionType(INT64, [INT64])
    return builder.asm(kind, "", "=r,0", [value], side_effect=True)


@cache
def lanes(dtype):
    """How many elements of a NumPy float type fill a vector."""
    return VECTOR_BITS // (8 * np.dtype(dtype).itemsize)


def align_stack(builder):
    """Have the function keep the vectors that registers do not hold on cache lines.

    By itself LLVM leaves it to the stack, which begins elsewhere in every process: in three of four, each of them would
    lie across two lines.
    """
    attributes = builder.function.attributes
    attributes.add("nounwind")  # llvmlite writes no alignment without another attribute
    attributes.alignstack = VECTOR_BITS // 8


class Vectors:
    """The vector operations for one element type, bound to a builder: load, store, splat, fma and what follows."""

    def __init__(self, builder, dtype):
        self.builder = builder
        align_stack(builder)
        self.element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[dtype]
        self.align = dtype.bitwidth // 8
        self.lanes = VECTOR_BITS // dtype.bitwidth
        self.type = ir.VectorType(self.element, self.lanes)
        self.integers = ir.VectorType(INT32, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)
        self.one = ir.Constant(self.type, [1.0] * self.lanes)

    def load(self, pointer, mask=None):
        """The vector at the pointer; with a mask, 0 in the lanes that it leaves out, which are not touched."""
        return self._load(self.type, self.align, pointer, mask)

    def store(self, value, pointer, mask=None):
        """Write the vector, or only the lanes of the mask."""
        self._store(value, self.align, pointer, mask)

    def store_nontemporal(self, value, pointer):
        """Write the vector past the caches; the pointer is aligned to it."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        store = self.builder.store(value, pointer, VECTOR_BITS // 8)
        store.set_metadata("nontemporal", self.builder.module.add_metadata([int32(1)]))

    def prefetch(self, pointer, writing, level=2):
        """Ask for the cache line of a pointer, which need not exist, into that level of caches; to write, the first."""
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, *3 * [INT32]])
        fetch = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        pointer = self.builder.bitcast(pointer, byte)
        hints = int32(int(writing)), int32(3 if writing else 4 - level), int32(1)  # of data
        self.builder.call(fetch, [pointer, *hints])

    def prefetch_run(self, pointer, count):
        """Ask for so many elements, which need not exist, to come into the second-level cache."""
        line = int64(CACHE_LINE // self.align)
        with cgutils.for_range_slice(self.builder, int64(0), count, line, intp=INT64) as (i, _):
            self.prefetch(self.builder.gep(pointer, [i]), writing=False)

    def prefetch_vectors(self, pointers, level=2):
        """Ask for vectors that lie side by side, for each cache line once."""
        for pointer in pointers[:: max(1, 8 * CACHE_LINE // VECTOR_BITS)]:
            self.prefetch(pointer, writing=False, level=level)

    def load_int(self, pointer, mask=None):
        """As many integers as a vector has lanes, of the pointer's type, as unsigned ones of 32 bits."""
        narrow = ir.VectorType(pointer.type.pointee, self.lanes)
        value = self._load(narrow, narrow.element.width // 8, pointer, mask)
        return self.builder.zext(value, self.integers) if narrow != self.integers else value

    def store_int(self, value, pointer, mask=None):
        """The reverse of load_int."""
        narrow = ir.VectorType(pointer.type.pointee, self.lanes)
        value = self.builder.trunc(value, narrow) if narrow != self.integers else value
        self._store(value, narrow.element.width // 8, pointer, mask)

    def splat(self, scalar, kind=None):
        """The scalar, a float of the vector's type, in every lane; of a vector of another `kind`, if one is given."""
        return self._splat(scalar, kind or self.type)

    def splat_int(self, scalar):
        """The integer, as 32 bits, in every lane."""
        return self._splat(self.builder.trunc(scalar, INT32), self.integers)

    def splat_bit(self, bit):
        """The mask of all lanes or of none."""
        return self._splat(bit, ir.VectorType(ir.IntType(1), self.lanes))

    def permute(self, a, lanes):
        """In each lane that of a which `lanes` names there; of 16 floats."""
        kind = ir.FunctionType(self.type, [self.type, self.integers])
        name = "llvm.x86.avx512.permvar.sf.512"
        permute = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(permute, [a, lanes])

    def shuffle(self, a, b, lanes):
        """The named lanes of a and b side by side, as many as are named."""
        return self.builder.shuffle_vector(
            a, b, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes)
        )

    def fma(self, a, b, c):
        """a * b + c, fused where the host can."""
        return self.call("fmuladd", a.type, [a, b, c], a.type)

    def larger(self, a, b):
        """Where a > b; NaN is larger than every number, and not larger than NaN."""
        number = self.builder.fcmp_ordered("ord", b, b)
        return self.builder.and_(self.builder.fcmp_unordered(">", a, b), number)

    def first_maximum(self, values):
        """The largest of some vectors, lane by lane, and its place among them; the first of equals, NaN the largest."""
        best, where = values[0], self.splat_int(int64(0))
        for place, value in enumerate(values[1:], 1):
            better = self.larger(value, best)
            best = self.builder.select(better, value, best)
            where = self.builder.select(better, self.splat_int(int64(place)), where)
        return best, where

    def mask(self, count):
        """The mask of the first `count` lanes."""
        lanes = ir.Constant(self.integers, list(range(self.lanes)))
        return self.builder.icmp_unsigned("<", lanes, self.splat_int(count))

    def for_each(self, count, emit):
        """emit(i, None) for every whole vector of `count` elements, then emit(i, mask) for what is left of the last.

        Where masks cost nothing, emit(i, mask) for all of them: half the code, and half the time to compile it.
        """
        if MASKS_ARE_FREE:
            with self.steps(int64(0), count) as (i, _):
                emit(i, self.mask(self.builder.sub(count, i)))
            return
        whole = self.builder.and_(count, int64(-self.lanes))
        with self.steps(int64(0), whole) as (i, _):
            emit(i, None)
        with self.builder.if_then(self.builder.icmp_signed("<", whole, count)):
            emit(whole, self.mask(self.builder.sub(count, whole)))

    def for_groups(self, count, emit, most=2, whole=False):
        """emit(places, None) for every `most` whole vectors of `count` elements, 4 or 2, then for every 2, then
        emit((i,), mask) for the rest; no mask where all vectors are known to be `whole`.
        """
        b, start = self.builder, int64(0)
        for vectors in range(most, 1, -2):
            step = vectors * self.lanes
            end = b.add(start, b.and_(b.sub(count, start), int64(-step)))
            with cgutils.for_range_slice(b, start, end, int64(step), intp=INT64) as (i, _):
                emit([b.add(i, int64(k)) for k in range(0, step, self.lanes)], None)
            start = end
        if whole:
            with b.if_then(b.icmp_signed("<", start, count)):
                emit([start], None)
        else:
            self.for_each(b.sub(count, start), lambda i, mask: emit([b.add(start, i)], mask))

    def store_each(self, count, made, nontemporal, most=2):
        """Write what made(places, mask) gives, as in for_groups, (vector, pointer) for each place; past the caches, if
        `nontemporal`: then all vectors are whole and aligned."""

        def past(places, mask):
            for value, pointer in made(places, mask):
                self.store_nontemporal(value, pointer)

        def usual(places, mask):
            for value, pointer in made(places, mask):
                self.store(value, pointer, mask)

        with self.builder.if_else(nontemporal) as (then, otherwise):
            with then:
                self.for_groups(count, past, most, whole=True)
            with otherwise:
                self.for_groups(count, usual, most)

    def totals(self, values):
        """The sums of all lanes of 1, 2 or 4 values, of lanes that lie ever nearer, as a vector of so many lanes."""
        add, width, count = self.builder.fadd, self.lanes, len(values)
        while width > 1:
            width //= 2
            near = [lane & ~width for lane in range(self.lanes)]
            if len(values) > 1:  # a pair becomes one vector, whose upper halves are the second's
                near = [at + (at != lane) * self.lanes for lane, at in enumerate(near)]
            far = [lane + width for lane in near]
            pairs = zip(values[::2], values[1::2] or values, strict=True)
            values = [add(self.shuffle(a, b, near), self.shuffle(a, b, far)) for a, b in pairs]
        return self.shuffle(*values, self.zero, [k * self.lanes // 4 for k in (0, 2, 1, 3)[:count]])

    def repeat(self, count, values, body):
        """for _ in range(count): values = body(*values), all of them in registers; what they are at last."""
        b = self.builder
        before, head, after = b.block, b.append_basic_block("loop"), b.append_basic_block("after")
        b.cbranch(b.icmp_signed(">", count, int64(0)), head, after)
        b.position_at_end(head)
        start = [count, *values]
        phis = [b.phi(value.type) for value in start]
        values = body(*phis[1:])
        left = b.sub(phis[0], int64(1))
        b.cbranch(b.icmp_signed(">", left, int64(0)), head, after)
        last = b.block
        b.position_at_end(after)
        merged = [b.phi(value.type) for value in start]
        for phi, out, first, again in zip(phis, merged, start, [left, *values], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(again, last)
            out.add_incoming(first, before)
            out.add_incoming(again, last)
        return merged[1:]

    def spaced(self, pointer, step, count):
        """Addresses `step` apart: pointers that may advance together, and for each address which it counts from, and
        how far."""
        b = self.builder
        groups = [b.gep(pointer, [b.mul(step, int64(m))]) for m in range(0, count, GROUP)]
        # Opaque to LLVM, which would otherwise derive one from the other again, by a chain of additions per step.
        kind = ir.FunctionType(pointer.type, [pointer.type])
        groups = [b.asm(kind, "", "=r,0", [group], side_effect=False) for group in groups]
        offsets = [b.mul(step, int64(m)) for m in range(GROUP)]
        return groups, [(m // GROUP, offsets[m % GROUP]) for m in range(count)]

    def steps(self, start, stop):
        """for i in range(start, stop, lanes), as a context that gives i."""
        return cgutils.for_range_slice(self.builder, start, stop, int64(self.lanes), intp=INT64)

    def _splat(self, scalar, kind):
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, int32(0))
        return self.builder.shuffle_vector(
            first, undefined, ir.Constant(ir.VectorType(INT32, kind.count), [0] * kind.count)
        )

    def _load(self, kind, align, pointer, mask):
        pointer = self.builder.bitcast(pointer, kind.as_pointer())
        if mask is not None:
            zeros = ir.Constant(kind, None)
            return self.call("masked.load", kind, [pointer, int32(align), mask, zeros], kind)
        value = self.builder.load(pointer)
        value.align = align
        return value

    def _store(self, value, align, pointer, mask):
        kind = value.type
        pointer = self.builder.bitcast(pointer, kind.as_pointer())
        if mask is not None:
            arguments = [value, pointer, int32(align), mask]
            self.call("masked.store", kind, arguments, ir.VoidType())
        else:
            self.builder.store(value, pointer).align = align

    def call(self, name, kind, arguments, result):
        """LLVM's intrinsic of that name for that kind of vector."""
        element = str(kind.element).replace("float", "f32").replace("double", "f64")
        name = f"llvm.{name}.v{kind.count}{element}" + (".p0" if "masked" in name else "")
        signature = ir.FunctionType(result, [a.type for a in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(function, arguments)
