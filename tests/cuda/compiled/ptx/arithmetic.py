"""Instructions that compute: one function for each opcode, which returns the operation on NumPy
arrays.

An operation gets its operands in the type of the instruction. Rounding is to nearest even, as
NumPy's. Where the hardware approximates (.approx) the exact value is taken, so comparisons need the
tolerance of the hardware anyhow.
"""

import numpy as np

from .types import DTYPES, WIDER, PTXError, signed

_UNARY = {
    "abs": np.abs,
    "cos": np.cos,
    "ex2": np.exp2,
    "lg2": np.log2,
    "neg": np.negative,
    "not": np.invert,
    "sin": np.sin,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}
_BINARY = {
    "add": np.add,
    "and": np.bitwise_and,
    "copysign": lambda sign, value: np.copysign(value, sign),
    "or": np.bitwise_or,
    "sub": np.subtract,
    "xor": np.bitwise_xor,
}
_COMPARE = {
    "eq": np.equal,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "ne": np.not_equal,
}
_UNSIGNED_NAMES = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}


def operation(instruction):
    """compute(*operands), or None where the opcode is no arithmetic."""
    opcode, dtype = instruction.opcode, instruction.dtype
    if opcode in _UNARY:
        return _UNARY[opcode]
    if opcode in _BINARY:
        return _BINARY[opcode]
    makers = {
        "bfi": _bfi,
        "clz": _clz,
        "div": _div,
        "fma": _fma,
        "mad": _mad,
        "max": lambda i: np.fmax if dtype.kind == "f" else np.maximum,
        "min": lambda i: np.fmin if dtype.kind == "f" else np.minimum,
        "mul": _mul,
        "popc": lambda i: lambda x: np.bitwise_count(x).astype(np.uint32),
        "rcp": lambda i: lambda x: np.divide(dtype.type(1), x),
        "rem": _rem,
        "rsqrt": lambda i: lambda x: np.divide(dtype.type(1), np.sqrt(x)),
        "selp": lambda i: lambda x, y, choose: np.where(choose, x, y),
        "shl": _shl,
        "shr": _shr,
    }
    return makers[opcode](instruction) if opcode in makers else None


def _wide(dtype):
    size = WIDER[dtype.itemsize]
    return signed(size) if dtype.kind == "i" else np.dtype(f"u{size}")


def _bfi(instruction):
    """The lowest `count` bits of x, put into y from bit `at` on."""
    width = 8 * instruction.dtype.itemsize

    def mask_of(at, count):
        return ((1 << min(int(count), width)) - 1 << int(at)) & (1 << width) - 1

    masks = np.vectorize(mask_of, otypes=[instruction.dtype])

    def insert(x, y, at, count):
        mask = masks(at, count)
        return _shl(instruction)(x, at) & mask | y & ~mask

    return insert


def _mul(instruction):
    dtype = instruction.dtype
    if "wide" in instruction.modifiers:
        return lambda x, y: np.multiply(x, y, dtype=_wide(dtype))
    if "hi" in instruction.modifiers:
        return _high_product(dtype)
    return np.multiply


def _high_product(dtype):
    bits = 8 * dtype.itemsize

    def high(x, y):
        if dtype.itemsize == 4:
            return (np.multiply(x, y, dtype=_wide(dtype)) >> bits).astype(dtype)
        exact = np.asarray(x).astype(object) * np.asarray(y).astype(object) >> bits
        return exact.astype(dtype)

    return high


def _fma(instruction):
    """Rounded once: float32 in float64, whose product is exact; float64 in the CPU's long double,
    nearly so.
    """
    exact = np.float64 if instruction.dtype == np.float32 else np.longdouble
    dtype = instruction.dtype
    return lambda x, y, z: (np.multiply(x, y, dtype=exact) + z).astype(dtype)


def _mad(instruction):
    multiply = _mul(instruction)
    return lambda x, y, z: multiply(x, y) + z


def _div(instruction):
    if instruction.dtype.kind == "f":
        return np.divide
    return lambda x, y: _quotient(x, y)


def _rem(instruction):
    return lambda x, y: x - _quotient(x, y) * y


def _quotient(x, y):
    """Integer division towards zero; NumPy's own goes down."""
    down = x // y
    return down + ((x % y != 0) & ((x < 0) != (y < 0))).astype(down.dtype)


def _shl(instruction):
    bits = 8 * instruction.dtype.itemsize

    def shl(x, by):
        shifted = np.left_shift(x, np.minimum(by, bits - 1).astype(instruction.dtype))
        return np.where(by < bits, shifted, instruction.dtype.type(0))

    return shl


def _shr(instruction):
    """Shifts of the whole width leave 0, or the sign where there is one."""
    dtype, bits = instruction.dtype, 8 * instruction.dtype.itemsize

    def shr(x, by):
        shifted = np.right_shift(x, np.minimum(by, bits - 1).astype(dtype))
        return shifted if dtype.kind == "i" else np.where(by < bits, shifted, dtype.type(0))

    return shr


def _clz(instruction):
    bits = 8 * instruction.dtype.itemsize

    def clz(x):
        count = np.full(np.shape(x), bits, np.uint32)
        for bit in range(bits):
            count = np.where(np.asarray(x) >> bit & 1, bits - 1 - bit, count)
        return count.astype(np.uint32)

    return clz


def comparison(instruction):
    """compare(x, y) of setp; the comparisons ending in u are true where an operand is NaN, the
    others false.
    """
    name, is_float = instruction.modifiers[0], instruction.dtype.kind == "f"
    if name in ("nan", "num"):
        return lambda x, y: (np.isnan(x) | np.isnan(y)) == (name == "nan")
    unordered = is_float and len(name) == 3 and name.endswith("u")
    name = name[:2] if unordered else _UNSIGNED_NAMES.get(name, name)
    if name not in _COMPARE:
        raise PTXError(f"the comparison '{instruction.text}' is not known")
    compare = _COMPARE[name]
    if not is_float:
        return compare
    if unordered:
        return lambda x, y: compare(x, y) | np.isnan(x) | np.isnan(y)
    return lambda x, y: compare(x, y) & ~np.isnan(x) & ~np.isnan(y)


def conversion(instruction):
    """convert(x) of cvt: integers wrap, floats become integers by the given rounding and stop at
    the ends of the range.
    """
    kinds = [m for m in instruction.modifiers if m in DTYPES]
    to, source = DTYPES[kinds[0]], DTYPES[kinds[1]]
    rounding = instruction.one_of("rni", "rzi", "rmi", "rpi")
    whole = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}.get(rounding)

    def convert(x):
        if source.kind == "f" and whole is not None:
            x = whole(x)
        if source.kind == "f" and to.kind in "iu":
            limits = np.iinfo(to)
            inside = np.clip(np.nan_to_num(x, nan=0.0), float(limits.min), float(limits.max))
            # float(max) may lie one beyond the range, where the conversion is undefined
            top = np.asarray(x) >= float(limits.max)
            return np.where(top, limits.max, np.where(top, 0, inside).astype(to)).astype(to)
        return np.asarray(x).astype(to)

    return to, source, convert
