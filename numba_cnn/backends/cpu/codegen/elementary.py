"""exp, log, tanh, erf and their kin as arithmetic that loops vectorise, to 2 ulp of float32.

A call of the C library's exp is scalar code, ten times as long. Each function here is a polynomial between two exact
steps, without a branch: both sides of a choice are computed, and one is taken. Polynomials are summed in pairs of terms
(Estrin), since a processor waits less for several short chains than for a long one. The coefficients are minimax fits
of the relative error, made for this file. In float64 the C library computes: gradient checks want its digits, not its
speed. NaN goes through, infinities and signed zeros give what IEEE 754 says.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from numba_cnn.backends.cpu.codegen.compiler import in_loops, noinline

_LOG2E, _LN2_HIGH, _LN2_LOW = (
    np.float32(v) for v in (1.4426950408889634, 0.693359375, -2.12194440e-4)
)
_LARGEST, _SMALLEST = np.float32(88.8), np.float32(-104.0)  # beyond, exp is infinite, or 0


def _f32(*values):
    return tuple(np.float32(value) for value in values)


# (e^r - 1 - r) / r^2 for |r| < ln(2) / 2
_E0, _E1, _E2, _E3, _E4 = _f32(0.49999993447560215, 0.16666520629439205, 0.04166838809269228,
                               0.008368717090859948, 0.0013814596382462046)  # fmt: skip
# (log(1 + f) - f + f^2 / 2) / f^3 for sqrt(1/2) < 1 + f < sqrt(2)
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = _f32(
    0.33333312602802806, -0.2500000960365421, 0.2000211873220124, -0.16667995667083324, 0.14219550908258674,
    -0.12405591417488737, 0.11888174598572097, -0.11675641300639047, 0.06746601323405284,
)  # fmt: skip
# (tanh(x) / x - 1) / x^2 of z = x^2, |x| < 0.6
_T0, _T1, _T2, _T3, _T4, _T5 = _f32(-0.3333333172072312, 0.13333245369051183, -0.0539521667171099,
                                    0.021732719996253303, -0.008262742100305605, 0.002226971812195684)  # fmt: skip
# erf(x) / x - 1 of z = x^2, |x| < 0.9375
_F0, _F1, _F2, _F3, _F4, _F5, _F6 = _f32(0.1283791665207952, -0.37612632637998256, 0.11283678968055953,
                                         -0.026858497044303434, 0.0051988297782191335, -0.0008118074678744928,
                                         8.267458869085407e-05)  # fmt: skip
# log(1 - erf(x)) of x from 0.9375 to 4
_G0, _G1, _G2, _G3, _G4, _G5, _G6, _G7 = _f32(
    0.00017928419494230542, -1.1295369567309301, -0.6333025578447953, -0.10832872218216666, 0.02515077612543245,
    -0.004182934215384631, 0.00043690666326069185, -2.1306004439221288e-05,
)  # fmt: skip


@intrinsic
def _bits_of(typingctx, x):
    """The bits of a float32 as an int32."""

    def codegen(context, builder, signature, values):
        return builder.bitcast(values[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@intrinsic
def _float_of(typingctx, bits):
    """The float32 with these bits."""

    def codegen(context, builder, signature, values):
        return builder.bitcast(values[0], ir.FloatType())

    return types.float32(types.int32), codegen


@intrinsic
def _to_int(typingctx, x):
    """A whole float32 as an int32; NaN as anything."""

    def codegen(context, builder, signature, values):
        return builder.fptosi(values[0], ir.IntType(32))

    return types.int32(types.float32), codegen


def _llvm(name, count):
    """An LLVM intrinsic of `count` float32 numbers, which loops vectorise."""

    def define(typingctx, *numbers):
        def codegen(context, builder, signature, values):
            kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()] * count)
            return builder.call(
                builder.module.declare_intrinsic(f"llvm.{name}", [ir.FloatType()], kind), values
            )

        return types.float32(*[types.float32] * count), codegen

    if count == 1:
        return intrinsic(lambda typingctx, a: define(typingctx, a))
    if count == 2:
        return intrinsic(lambda typingctx, a, b: define(typingctx, a, b))
    return intrinsic(lambda typingctx, a, b, c: define(typingctx, a, b, c))


_fma, _rint, _fabs, _copysign = (
    _llvm("fma", 3),
    _llvm("rint", 1),
    _llvm("fabs", 1),
    _llvm("copysign", 2),
)


@intrinsic
def select(typingctx, condition, yes, no):
    """yes if the condition holds, else no; both are there already."""

    def codegen(context, builder, signature, values):
        return builder.select(*values)

    return yes(types.boolean, yes, yes), codegen


@in_loops
def _reduced(x):
    """(n, e^r - 1) of x = n ln(2) + r."""
    n = _rint(x * _LOG2E)
    r = _fma(-n, _LN2_LOW, _fma(-n, _LN2_HIGH, x))
    square = r * r
    q = _fma(_fma(_E4, square, _fma(_E3, r, _E2)), square, _fma(_E1, r, _E0))
    return n, _fma(square, q, r)


@in_loops
def _halves(n):
    """Two whole numbers whose sum is n: 2^n alone may be denormal or too large."""
    whole = _to_int(n)
    half = whole >> np.int32(1)
    return half, whole - half


@in_loops
def _power_of_2(n):
    """2^n for whole n in -126..127."""
    return _float_of((n + np.int32(127)) << np.int32(23))


@in_loops
def _times_power_of_2(x, n):
    """x 2^n, both normal."""
    return _float_of(_bits_of(x) + (n << np.int32(23)))


@in_loops
def exp32(x):
    clamped = select(x > _LARGEST, _LARGEST, select(x < _SMALLEST, _SMALLEST, x))
    n, rest = _reduced(clamped)
    half, other = _halves(n)
    return _times_power_of_2(np.float32(1) + rest, half) * _power_of_2(other)


@in_loops
def expm1_32(x):
    clamped = select(x > _LARGEST, _LARGEST, select(x < np.float32(-18), np.float32(-18), x))
    n, rest = _reduced(clamped)
    half, other = _halves(n)
    low, high = _power_of_2(half), _power_of_2(other)
    small = select(n == np.float32(0), rest, rest * low * high + (low * high - np.float32(1)))
    large = (np.float32(1) + rest) * low * high
    return select(n > np.float32(24), large, select(x == np.float32(0), x, small))


@in_loops
def _log_near_1(f, rest):
    """log(1 + f) for sqrt(1/2) < 1 + f < sqrt(2), of which `rest` has -f^2 / 2 and what else is small."""
    square = f * f
    fourth = square * square
    low = _fma(_fma(_L3, f, _L2), square, _fma(_L1, f, _L0))
    high = _fma(_fma(_L7, f, _L6), square, _fma(_L5, f, _L4))
    return f + _fma(square * f, _fma(_fma(_L8, fourth, high), fourth, low), rest)


@in_loops
def _log_of(x, less):
    """log(x) - less * log(2) of a normal number x > 0."""
    bits = _bits_of(x) - np.int32(0x3F3504F3)  # sqrt(1/2)
    e = np.float32(bits >> np.int32(23)) - less
    m = _float_of((bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3))
    f = m - np.float32(1)
    return _fma(e, _LN2_HIGH, _log_near_1(f, _fma(e, _LN2_LOW, np.float32(-0.5) * f * f)))


@in_loops
def log_of_normal32(x):
    """log(x) of a normal number x > 0."""
    return _log_of(x, np.float32(0))


@in_loops
def log32(x):
    tiny = x < np.float32(1.1754944e-38)
    scaled = select(tiny, x * np.float32(8388608.0), x)
    value = _log_of(scaled, select(tiny, np.float32(23), np.float32(0)))
    infinite = select(x == np.float32(np.inf), x, value)
    return select(
        x > np.float32(0),
        infinite,
        select(x == np.float32(0), np.float32(-np.inf), np.float32(np.nan)),
    )


@in_loops
def log1p32(x):
    """log(1 + x) for x in 0..1, as activations and losses need it: of e^-|x|."""
    large = x > np.float32(0.41421357)  # where 1 + x is taken as 2 (1 + f)
    f = select(large, (x - np.float32(1)) * np.float32(0.5), x)
    e = select(large, np.float32(1), np.float32(0))
    return _fma(e, _LN2_HIGH, _log_near_1(f, _fma(e, _LN2_LOW, np.float32(-0.5) * f * f)))


@in_loops
def tanh32(x):
    z = x * x
    square = z * z
    p = _fma(_fma(_fma(_T5, z, _T4), square, _fma(_T3, z, _T2)), square, _fma(_T1, z, _T0))
    small = _fma(x * z, p, x)
    size = _fabs(x)
    size = select(size > np.float32(10), np.float32(10), size)
    large = np.float32(1) - np.float32(2) / (exp32(size + size) + np.float32(1))
    size = select(_fabs(x) < np.float32(0.6), small, large)
    return select(x == x, _copysign(size, x), x)


@in_loops
def sigmoid32(x):
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    e = exp32(-_fabs(x))
    whole = np.float32(1) + e
    lost = e - (whole - np.float32(1))  # what the sum has rounded off
    inverse = np.float32(1) / whole
    low = e * inverse
    low = _fma(_fma(-low, lost, _fma(-low, whole, e)), inverse, low)
    return select(x < np.float32(0), low, inverse)


@in_loops
def erf32(x):
    z = x * x
    square = z * z
    low = _fma(_fma(_F3, z, _F2), square, _fma(_F1, z, _F0))
    high = _fma(_F6, square, _fma(_F5, z, _F4))
    small = _fma(x, _fma(high, square * square, low), x)
    t = _fabs(x)
    t = select(t > np.float32(4), np.float32(4), t)
    square = t * t
    low = _fma(_fma(_G3, t, _G2), square, _fma(_G1, t, _G0))
    high = _fma(_fma(_G7, t, _G6), square, _fma(_G5, t, _G4))
    g = _fma(high, square * square, low)
    large = np.float32(1) - exp32(g)
    return select(_fabs(x) < np.float32(0.9375), small, select(x == x, _copysign(large, x), x))


@intrinsic
def like(typingctx, x, value):
    """The value in the type of x."""

    def codegen(context, builder, signature, values):
        return context.cast(builder, values[1], signature.args[1], signature.args[0])

    return x(x, value), codegen


def _by_type(name, single, double):
    """A function for compiled code: `single` of a float32, `double` of a float64."""

    def function(x):
        raise NotImplementedError(f"{name} is for compiled code")

    function.__name__ = name

    @overload(function, inline="never", jit_options={"forceinline": True})
    def choose(x):
        return (lambda x: single(x)) if x == types.float32 else (lambda x: double(x))

    return function


@noinline
def _sigmoid64(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


exp = _by_type("exp", exp32, noinline(lambda x: math.exp(x)))
expm1 = _by_type("expm1", expm1_32, noinline(lambda x: math.expm1(x)))
log = _by_type("log", log32, noinline(lambda x: math.log(x)))
log_of_normal = _by_type("log_of_normal", log_of_normal32, noinline(lambda x: math.log(x)))
log1p = _by_type("log1p", log1p32, noinline(lambda x: math.log1p(x)))
tanh = _by_type("tanh", tanh32, noinline(lambda x: math.tanh(x)))
sigmoid = _by_type("sigmoid", sigmoid32, _sigmoid64)
erf = _by_type("erf", erf32, noinline(lambda x: math.erf(x)))
