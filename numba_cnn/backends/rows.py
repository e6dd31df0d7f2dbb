"""What a row of the contract says of an op, and how arguments are held to it."""

from typing import NamedTuple

import numpy as np

from numba_cnn import shapes

_FLOATS = np.dtype(np.float32), np.dtype(np.float64)
_DTYPES = {
    "integer": tuple(map(np.dtype, "bhilqBHILQ")),
    "int32": (np.dtype(np.int32),),
    "int64": (np.dtype(np.int64),),
    "bool": (np.dtype(np.bool_),),
    "float32": (np.dtype(np.float32),),
    "real": tuple(map(np.dtype, "?bhilqBHILQefd")),
}
_SMALL_WINDOW = 256  # pixels, whose places are numbers of 8 bits


class Op:
    """A row: the file, and what each parameter takes, by name and in order."""

    def __init__(self, home, /, **parameters):
        self.home = home
        self.parameters = tuple(parameters)
        self.geometry = self.parameters.index("g") if "g" in parameters else None
        self.fields = tuple(_field(kind) for kind in parameters.values())

    def check(self, name, arguments):
        """Raise TypeError or ValueError, which name the op and the parameter, unless the arguments are as the row
        says."""
        if len(arguments) != len(self.fields):
            raise TypeError(
                f"{name} takes {', '.join(self.parameters)}. Received: {len(arguments)} arguments"
            )
        geometry = None if self.geometry is None else arguments[self.geometry]
        extents, floats = {}, None
        for field, word, argument in zip(self.fields, self.parameters, arguments, strict=True):
            if not isinstance(field, ArrayField):
                if not isinstance(argument, field):
                    raise TypeError(
                        f"{name}: {word} must be {_words(field)}. Received: {argument!r}"
                    )
            elif argument is not None or not field.optional:
                floats = field.check(name, word, argument, geometry, extents, floats)


class ArrayField(NamedTuple):
    """What an array parameter takes."""

    extents: tuple[str, ...]  # letters, "*", or one property of the geometry
    dtype: str  # "float": that of the other arrays, float32 or float64
    optional: bool

    def check(self, name, word, array, geometry, extents, floats):
        """Whether the array is as it should be, given the extents of those before it; returns the float dtype."""
        shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
        if shape is None or dtype is None:
            raise TypeError(f"{name}: {word} must be an array. Received: {array!r}")
        allowed = self._dtypes(geometry, floats)
        if dtype not in allowed:
            raise TypeError(
                f"{name}: {word} must be {' or '.join(map(str, allowed))}. Received: {dtype}"
            )
        expected = self._expected(shape, geometry, extents)
        if expected != shape:
            raise ValueError(f"{name}: {word} must have shape {expected}. Received: {shape}")
        if not _is_c_contiguous(array):
            raise ValueError(
                f"{name}: {word} must be C-contiguous. Received: strides {array.strides}"
            )
        return (dtype,) if self.dtype == "float" else floats

    def _dtypes(self, geometry, floats):
        """The dtypes that the array may have."""
        if self.dtype == "float":
            return floats or _FLOATS
        return (argmax_dtype(geometry),) if self.dtype == "argmax" else _DTYPES[self.dtype]

    def _expected(self, shape, geometry, extents):
        """The shape that the array should have; letters that are new take what it has, or 1."""
        if len(self.extents) == 1 and self.extents[0].startswith("g."):
            value = getattr(geometry, self.extents[0][2:])
            return value if isinstance(value, tuple) else (value,)
        single = len(self.extents) - ("*" in self.extents)
        expected, rest = (), shape
        for letter in self.extents:
            if letter[0].isdigit():
                allowed = [int(number) for number in letter.split("|")]
                met = rest[0] if rest and rest[0] in allowed else allowed[0]
                expected, rest = (*expected, met), rest[1:]
                continue
            count = max(len(shape) - single, 0) if letter == "*" else 1
            expected += extents.setdefault(letter, rest[:count] if len(rest) >= count else (1,))
            rest = rest[count:]
        return expected


def argmax_dtype(g: shapes.Conv2D | shapes.Pool2D) -> np.dtype:
    """The dtype of a place in a window of the geometry; convolutions pool over 2x2."""
    return np.dtype(
        np.uint8 if getattr(g, "PH", 2) * getattr(g, "PW", 2) <= _SMALL_WINDOW else np.int32
    )


def _field(kind):
    """What a parameter takes, from a row's word for it."""
    if not isinstance(kind, str):
        return (int, float, np.floating) if kind is float else kind
    dtype, _, extents = kind.removesuffix("?").rpartition(": ")
    return ArrayField(tuple(extents.split()), dtype or "float", kind.endswith("?"))


def _words(field):
    kinds = field if isinstance(field, tuple) else (field,)
    return " or ".join(kind.__name__ for kind in kinds)


def _is_c_contiguous(array):
    """In NumPy's words and in those of device arrays."""
    if isinstance(array, np.ndarray):
        return array.flags.c_contiguous
    return array.is_c_contiguous()
