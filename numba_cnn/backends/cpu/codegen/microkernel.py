"""How kernels call micro-kernels: with their operands in groups, C=(array, start, ld).

A micro-kernel describes its groups by letters, a letter for each field:

    a   an array of its float type, or a pointer to such elements, and in which element of it the operand starts
    u   the same of integers; of arrays side by side, "au", all begin at the one start that follows them
    p   a pointer as it is
    n   an integer: a count, or a stride in elements
    f   a float, and ? a flag

A group of one integer, float, flag or pointer is no tuple. The micro-kernel gets a pointer in place of an array and
its start. Numba takes tuples, and named ones, apart before LLVM optimises: a group costs nothing.
"""

import re
from functools import cache
from inspect import Parameter, Signature, signature
from itertools import chain

import numpy as np
from numba import from_dtype, types
from numba.core import cgutils, errors
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.arrays import pointer_to, require_vectors
from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, emit_call
from numba_cnn.backends.cpu.codegen.vector import Vectors


def microkernel(**groups):
    """A micro-kernel that is compiled once, on its own: kernels call it by its address and groups of operands.

    `.address(dtype)` is that address for a NumPy float type, compiled or read from the cache at the first call.
    """

    def decorate(body):
        function, operands = by_address(body), _Operands(body.__name__, groups)

        def emit(context, builder, dtype, address, *given):
            kinds = operands.pointers(dtype)
            values = [
                context.make_tuple(builder, kind, value) if isinstance(value, tuple) else value
                for kind, value in zip(kinds, given, strict=True)
            ]
            emit_call(context, builder, address, kinds, values)

        of_address = _Operands(body.__name__, {"address": "n", **groups})
        made = _intrinsic(body, ["address", *signature(body).parameters], of_address, emit)
        made.address = cache(
            lambda dtype: address_of(function, operands.pointers(from_dtype(np.dtype(dtype))))
        )
        return made

    return decorate


def emitted(**groups):
    """A micro-kernel that is pasted into kernels, from body(v, *groups), which emits it with the vectors v."""

    def decorate(body):
        def emit(context, builder, dtype, *given):
            body(Vectors(builder, dtype), *given)

        _, *names = signature(body).parameters
        return _intrinsic(body, names, _Operands(body.__name__, groups), emit)

    return decorate


def _intrinsic(body, names, operands, emit):
    """An intrinsic of these parameters, with the name and the docstring of the body."""

    def definition(typingctx, *given, **named):
        given = parameters.bind(typingctx, *given, **named).args[1:]
        dtype, kinds = operands.typed(given)

        def codegen(context, builder, call, values):
            emit(context, builder, dtype, *operands.unpacked(context, builder, call.args, values))
            return context.get_dummy_value()

        return types.void(*kinds), codegen

    assert list(operands.groups) == names, f"{body.__name__}: {names}"
    parameters = Signature(
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ["typingctx", *names]]
    )
    definition.__signature__ = parameters
    definition.__name__, definition.__qualname__ = body.__name__, body.__qualname__
    definition.__module__, definition.__doc__ = body.__module__, body.__doc__
    return intrinsic(definition)


class _Operands:
    """The groups of a micro-kernel, letters by name: what kernels give, and what the micro-kernel gets."""

    def __init__(self, name, groups):
        self.name, self.groups = name, groups
        self.given = [re.sub("[au]+", r"\g<0>n", letters) for letters in groups.values()]

    def typed(self, arguments):
        """The float type, and the types of the groups as they are given, or TypingError."""
        fields = [list(kind) if isinstance(kind, types.BaseTuple) else [kind] for kind in arguments]
        if list(map(len, fields)) != list(map(len, self.given)):
            raise errors.TypingError(f"{self.name}: expected {self.groups}. Received: {arguments}")
        flat = list(zip("".join(self.given), chain(*fields), strict=True))
        dtype = self._dtype([kind for letter, kind in flat if letter in "ap"])
        expected = {"n": types.intp, "?": types.boolean, "f": dtype}
        kinds = iter([expected.get(letter, kind) for letter, kind in flat])
        groups = [[next(kinds) for _ in letters] for letters in self.given]
        return dtype, [_group(*pair) for pair in zip(groups, arguments, strict=True)]

    def _dtype(self, arrays):
        """What the arrays and pointers have for elements, all of them of one type."""
        if not isinstance(arrays[0], types.CPointer):
            return require_vectors(self.name, *arrays)
        if any(array != arrays[0] for array in arrays):
            raise errors.TypingError(
                f"{self.name}: expected pointers of one type. Received: {arrays}"
            )
        return arrays[0].dtype

    def pointers(self, dtype):
        """The types of the groups as the micro-kernel gets them."""
        floats, integers = types.CPointer(dtype), types.CPointer(types.uint8)
        kinds = {"a": floats, "u": integers, "n": types.intp, "f": dtype, "?": types.boolean}
        return tuple(_group([kinds[letter] for letter in group]) for group in self.groups.values())

    def unpacked(self, context, builder, kinds, values):
        """The values as the micro-kernel gets them: tuples, and what stands alone."""
        for letters, kind, value in zip(self.given, kinds, values, strict=True):
            if len(letters) == 1:
                yield value
                continue
            fields = list(zip(letters, kind, cgutils.unpack_tuple(builder, value), strict=True))
            group, arrays = [], []
            for letter, kind, value in fields:
                if letter in "au":
                    arrays.append((kind, value))
                elif arrays:
                    group += [_pointer(context, builder, *array, value) for array in arrays]
                    arrays = []
                else:
                    group.append(value)
            yield group[0] if len(group) == 1 else tuple(group)


def _group(kinds, given=None):
    """The type of a group of these; a named tuple, as which it may be given, is cast to no other."""
    if isinstance(given, types.BaseNamedTuple) and list(given) == kinds:
        return given
    return kinds[0] if len(kinds) == 1 else types.Tuple(kinds)


def _pointer(context, builder, kind, array, start):
    if isinstance(kind, types.CPointer):
        return builder.gep(array, [start])
    return pointer_to(context, builder, kind, array, start)
