"""PTX's types as NumPy's, and the one error of the interpreter."""

import numpy as np

DTYPES = {
    "pred": np.bool_,
    "b8": np.uint8,
    "u8": np.uint8,
    "s8": np.int8,
    "b16": np.uint16,
    "u16": np.uint16,
    "s16": np.int16,
    "b32": np.uint32,
    "u32": np.uint32,
    "s32": np.int32,
    "f32": np.float32,
    "b64": np.uint64,
    "u64": np.uint64,
    "s64": np.int64,
    "f64": np.float64,
}
DTYPES = {name: np.dtype(kind) for name, kind in DTYPES.items()}
RAW = {1: np.dtype("u1"), 2: np.dtype("u2"), 4: np.dtype("u4"), 8: np.dtype("u8")}
WIDER = {4: 8, 2: 4}


class PTXError(RuntimeError):
    """The kernel did what hardware forbids or leaves undefined, or used what the interpreter does
    not know.
    """


def raw(dtype):
    """The unsigned integer of the same size: what a register holds."""
    return RAW[dtype.itemsize]


def signed(size):
    return np.dtype(f"i{size}")


def resized(values, dtype, size):
    """Values as a register of `size` bytes holds them: narrower ones are extended, by their sign if
    they have one.
    """
    if values.dtype == np.bool_ or values.itemsize == size:
        return values
    if values.itemsize < size and dtype.kind == "i":
        return values.view(dtype).astype(signed(size))
    return values.view(raw(values.dtype)).astype(RAW[size])
