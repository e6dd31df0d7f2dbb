"""The interpreter's instructions one by one against NumPy, and each rule that it enforces."""

import numpy as np
import pytest
from ptx import Buffer, Program, PTXError, Statistics, execute

_KINDS = {
    "f32": np.float32,
    "f64": np.float64,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "b32": np.uint32,
    "b64": np.uint64,
}
_N = 64


def _values(kind, seed):
    """Small numbers of both signs and the extremes of the type, none of them 0."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(_KINDS[kind])
    if dtype.kind == "f":
        values = rng.standard_normal(_N).astype(dtype) * 10
        values[:3] = np.inf, -np.inf, np.nan
        return values
    limits = np.iinfo(dtype)
    values = rng.integers(max(limits.min, -1000), 1000, _N).astype(dtype)
    values[:3] = limits.min, limits.max, limits.max // 3
    values[values == 0] = 7
    return values


def _program(registers, body, count):
    """A kernel with `count` arrays of one axis; %rd<i> is the address of this thread's element of
    array i.
    """
    text = ".visible .entry kernel(\n"
    text += ",\n".join(f".param .u64 p{i}" for i in range(7 * count)) + "\n)\n{\n"
    text += (
        f".reg .pred %p<8>;\n.reg .b32 %t<8>;\n.reg .b64 %rd<16>;\n.reg .b64 %q<8>;\n{registers}\n"
    )
    text += "mov.u32 %t0, %tid.x;\n"
    for i in range(count):
        text += f"ld.param.u64 %rd{i}, [p{7 * i + 4}];\nld.param.u64 %q{i}, [p{7 * i + 3}];\n"
        text += f"cvt.u32.u64 %t1, %q{i};\nmul.wide.u32 %q{i}, %t0, %t1;\n"
        text += f"add.s64 %rd{i}, %rd{i}, %q{i};\n"
    return Program(text + body + "\nret;\n}\n")


def _compute(instruction, kinds, *arrays):
    """The results of an instruction with registers %x0 (result), %x1, ... of the given types."""
    registers = "".join(f".reg .{kind} %x{i};\n" for i, kind in enumerate(kinds))
    body = "".join(
        f"ld.global.{kind} %x{i}, [%rd{i}];\n" for i, kind in enumerate(kinds[1:], start=1)
    )
    body += f"{instruction};\nst.global.{kinds[0]} [%rd0], %x0;"
    out = Buffer(np.zeros(_N, _KINDS[kinds[0]]), defined=False)
    program = _program(registers, body, len(kinds))
    execute(program, [out, *(Buffer(array) for array in arrays)], 1, _N)
    return out.array


def _quotient(x, y):
    return np.array(
        [
            abs(int(a)) // abs(int(b)) * (-1 if (a < 0) != (b < 0) else 1)
            for a, b in zip(x, y, strict=True)
        ]
    )


_BINARY = {
    "add.f32": np.add,
    "add.s32": np.add,
    "add.u64": np.add,
    "sub.f64": np.subtract,
    "sub.s64": np.subtract,
    "mul.f32": np.multiply,
    "mul.lo.s32": np.multiply,
    "mul.lo.u64": np.multiply,
    "div.rn.f32": np.divide,
    "div.u32": np.floor_divide,
    "rem.u64": np.remainder,
    "min.s32": np.minimum,
    "max.u32": np.maximum,
    "min.f32": np.fmin,
    "max.f64": np.fmax,
    "and.b32": np.bitwise_and,
    "or.b64": np.bitwise_or,
    "xor.b32": np.bitwise_xor,
    "copysign.f32": lambda sign, value: np.copysign(value, sign),
}
_UNARY = {
    "neg.f32": np.negative,
    "neg.s32": np.negative,
    "abs.f64": np.abs,
    "not.b32": np.invert,
    "sqrt.rn.f32": np.sqrt,
    "rcp.rn.f64": np.reciprocal,
    "rsqrt.approx.f32": lambda x: (1 / np.sqrt(x)).astype(np.float32),
    "ex2.approx.f32": np.exp2,
    "lg2.approx.f32": np.log2,
    "popc.b32": lambda x: [bin(v).count("1") for v in x],
    "clz.b32": lambda x: [32 - int(v).bit_length() for v in x],
}


@pytest.mark.parametrize("opcode", _BINARY)
def test_two_operands(opcode):
    kind = opcode.rsplit(".", 1)[1]
    x, y = _values(kind, 1), _values(kind, 2)[::-1].copy()
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(
            _compute(f"{opcode} %x0, %x1, %x2", [kind] * 3, x, y), _BINARY[opcode](x, y)
        )


@pytest.mark.parametrize("opcode", _UNARY)
def test_one_operand(opcode):
    kind = opcode.rsplit(".", 1)[1]
    x = _values(kind, 3)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(
            _compute(f"{opcode} %x0, %x1", [kind] * 2, x), _UNARY[opcode](x)
        )


@pytest.mark.parametrize("kind", ["s32", "s64"])
def test_signed_division_goes_towards_zero(kind):
    x, y = _values(kind, 4), _values(kind, 5)
    np.testing.assert_array_equal(
        _compute(f"div.{kind} %x0, %x1, %x2", [kind] * 3, x, y), _quotient(x, y)
    )
    rest = x - _quotient(x, y) * y
    np.testing.assert_array_equal(_compute(f"rem.{kind} %x0, %x1, %x2", [kind] * 3, x, y), rest)


@pytest.mark.parametrize(("kind", "wide"), [("s32", "s64"), ("u32", "u64")])
def test_products_of_twice_the_width(kind, wide):
    x, y = _values(kind, 6), _values(kind, 7)
    exact = [int(a) * int(b) for a, b in zip(x, y, strict=True)]
    got = _compute(f"mul.wide.{kind} %x0, %x1, %x2", [wide, kind, kind], x, y)
    assert got.tolist() == exact
    high = _compute(f"mul.hi.{kind} %x0, %x1, %x2", [kind] * 3, x, y)
    assert high.tolist() == [v >> 32 for v in exact]
    z = _values(wide, 8)
    got = _compute(f"mad.wide.{kind} %x0, %x1, %x2, %x3", [wide, kind, kind, wide], x, y, z)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got, np.array(exact, _KINDS[wide]) + z)


def test_high_product_of_64_bits():
    x, y = _values("u64", 9), _values("u64", 10)
    got = _compute("mul.hi.u64 %x0, %x1, %x2", ["u64"] * 3, x, y)
    assert got.tolist() == [int(a) * int(b) >> 64 for a, b in zip(x, y, strict=True)]


def test_fma_rounds_once():
    """(1 + e)(1 - e) - 1 = -e * e, which a product rounded by itself loses."""
    e = np.float32(2.0**-13)
    x, y = np.full(_N, 1 + e, np.float32), np.full(_N, 1 - e, np.float32)
    z = np.full(_N, -1, np.float32)
    got = _compute("fma.rn.f32 %x0, %x1, %x2, %x3", ["f32"] * 4, x, y, z)
    np.testing.assert_array_equal(got, np.full(_N, -e * e, np.float32))
    z = _values("f32", 11)
    exact = (x.astype(np.float64) * y + z).astype(np.float32)
    np.testing.assert_array_equal(
        _compute("fma.rn.f32 %x0, %x1, %x2, %x3", ["f32"] * 4, x, y, z), exact
    )


@pytest.mark.parametrize(
    ("opcode", "kind"), [("shl.b32", "u32"), ("shr.u32", "u32"), ("shr.s32", "s32")]
)
def test_shifts_beyond_the_width(opcode, kind):
    x, by = _values(kind, 12), np.arange(_N, dtype=np.uint32)
    got = _compute(f"{opcode} %x0, %x1, %x2", [kind, kind, "u32"], x, by)
    shift = (lambda v, k: v << k) if opcode.startswith("shl") else (lambda v, k: v >> k)
    exact = [shift(int(v), int(k)) for v, k in zip(x, by, strict=True)]
    assert got.tolist() == [v & 0xFFFFFFFF if kind == "u32" else v for v in exact]


@pytest.mark.parametrize("kind", ["b32", "b64"])
def test_bits_put_into_others(kind):
    x, y = _values(kind, 15), _values(kind, 16)
    at, count = (np.arange(_N, dtype=np.uint32) * k % 40 for k in (3, 7))
    width = 8 * x.itemsize
    got = _compute(
        f"bfi.{kind} %x0, %x1, %x2, %x3, %x4", [kind, kind, kind, "u32", "u32"], x, y, at, count
    )
    for have, a, b, k, n in zip(
        got.tolist(), x.tolist(), y.tolist(), at.tolist(), count.tolist(), strict=True
    ):
        mask = ((1 << n) - 1 << k) & (1 << width) - 1
        assert have == (a << k) & mask | b & ~mask


@pytest.mark.parametrize("kind", ["f32", "s32", "u64"])
@pytest.mark.parametrize("comparison", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparisons(comparison, kind):
    """setp and selp; a comparison with NaN is false, even ne."""
    x, y = _values(kind, 13), _values(kind, 14)
    y[::2] = x[::2]
    expected = {"eq": x == y, "ne": x != y, "lt": x < y, "le": x <= y, "gt": x > y, "ge": x >= y}
    unordered = np.isnan(x) | np.isnan(y) if kind == "f32" else np.zeros(_N, bool)
    body = f"setp.{comparison}.{kind} %p1, %x1, %x2;\nselp.u32 %x0, 1, 0, %p1"
    got = _compute(body, ["u32", kind, kind], x, y)
    np.testing.assert_array_equal(got, expected[comparison] & ~unordered)
    if kind == "f32":
        body = f"setp.{comparison}u.f32 %p1, %x1, %x2;\nselp.u32 %x0, 1, 0, %p1"
        got = _compute(body, ["u32", kind, kind], x, y)
        np.testing.assert_array_equal(got, expected[comparison] | unordered)


def test_unsigned_comparisons_and_combined_predicates():
    x, y = _values("u32", 15), _values("u32", 16)
    body = "setp.lo.u32 %p1, %x1, %x2;\nsetp.gt.or.u32 %p2|%p3, %x1, 500, %p1;\nselp.u32 %x0, 1, 0, %p2"
    np.testing.assert_array_equal(_compute(body, ["u32"] * 3, x, y), (x < y) | (x > 500))
    body = body.replace("0, %p2", "0, %p3")
    np.testing.assert_array_equal(_compute(body, ["u32"] * 3, x, y), ~(x > 500) | (x < y))


@pytest.mark.parametrize(
    ("rounding", "whole"),
    [("rni", np.rint), ("rzi", np.trunc), ("rmi", np.floor), ("rpi", np.ceil)],
)
def test_floats_to_integers(rounding, whole):
    """NaN becomes 0, and what does not fit the end of the range."""
    x = _values("f32", 17)
    x[3:7] = 2.5, -2.5, 3e9, -3e9
    got = _compute(f"cvt.{rounding}.s32.f32 %x0, %x1", ["s32", "f32"], x)
    exact = np.clip(np.nan_to_num(whole(x.astype(np.float64)), nan=0), -(2.0**31), 2.0**31 - 1)
    np.testing.assert_array_equal(got, exact.astype(np.int32))


@pytest.mark.parametrize(
    ("to", "source"),
    [
        ("s64", "s32"),
        ("u32", "s64"),
        ("s32", "s16"),
        ("f32", "s64"),
        ("f64", "f32"),
        ("f32", "f64"),
        ("u16", "u32"),
    ],
)
def test_conversions(to, source):
    x = _values(source, 18)
    rounding = "rn." if to[0] == "f" and (source[0] != "f" or to == "f32") else ""
    got = _compute(f"cvt.{rounding}{to}.{source} %x0, %x1", [to, source], x)
    np.testing.assert_array_equal(got, x.astype(_KINDS[to]))


def test_registers_split_and_joined():
    x = _values("b64", 19)
    body = "mov.b64 {%t4, %t5}, %x1;\nmov.b64 %x0, {%t5, %t4}"
    np.testing.assert_array_equal(
        _compute(body, ["b64", "b64"], x), x >> np.uint64(32) | x << np.uint64(32)
    )


def test_four_elements_at_once():
    """ld and st .v4: each thread turns its four around."""
    x = np.arange(4 * _N, dtype=np.float32)
    body = (
        "shl.b64 %q4, %q0, 2;\nsub.s64 %q4, %q4, %q0;\nadd.s64 %rd0, %rd0, %q4;\nadd.s64 %rd1, %rd1, %q4;\n"
        "ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%rd1];\nst.global.v4.f32 [%rd0], {%f3, %f2, %f1, %f0};"
    )
    out = Buffer(np.zeros(4 * _N, np.float32), defined=False)
    execute(_program(".reg .f32 %f<4>;", body, 2), [out, Buffer(x)], 1, _N)
    np.testing.assert_array_equal(out.array, x.reshape(-1, 4)[:, ::-1].ravel())


def test_a_loop_whose_length_differs_between_threads():
    """Thread t adds t, t - 1, ..., 1; those that are done wait until the others have left the loop
    too.
    """
    body = (
        "mov.u32 %x0, 0;\nmov.u32 %t4, %t0;\n$again:\nsetp.eq.u32 %p1, %t4, 0;\n@%p1 bra $done;\n"
        "add.u32 %x0, %x0, %t4;\nsub.u32 %t4, %t4, 1;\nbra $again;\n$done:\nadd.u32 %x0, %x0, 0"
    )
    t = np.arange(_N)
    np.testing.assert_array_equal(_compute(body, ["u32"]), t * (t + 1) // 2)


def test_a_guard_leaves_the_other_threads_alone():
    x = _values("s32", 20)
    body = "mov.u32 %x0, %x1;\nsetp.lt.u32 %p1, %t0, 5;\n@!%p1 add.s32 %x0, %x1, 1"
    np.testing.assert_array_equal(_compute(body, ["s32", "s32"], x), x + (np.arange(_N) >= 5))


_SHARED = ".shared .align 4 .b8 area[256];\n.reg .f32 %f<4>;"
_PUT = (
    "mov.u32 %t4, area;\nshl.b32 %t5, %t0, 2;\nadd.u32 %t6, %t4, %t5;\nmov.f32 %f1, 0f3F800000;\n"
)
_STORE, _WAIT = "st.shared.f32 [%t6], %f1;\n", "bar.sync 0;\n"
_LOAD_FIRST = "ld.shared.f32 %f2, [%t4];\nst.global.f32 [%rd0], %f2;"


def _run(body, registers=_SHARED, size=_N, block=_N, grid=1, defined=False, dtype=np.float32):
    out = Buffer(np.zeros(size, dtype), defined)
    statistics = Statistics()
    execute(_program(registers, body, 1), [out], grid, block, statistics)
    return out.array, statistics


def test_shared_memory_after_a_barrier():
    out, statistics = _run(_PUT + _STORE + _WAIT + _LOAD_FIRST)
    np.testing.assert_array_equal(out, np.ones(_N, np.float32))
    assert statistics.per_request("shared") == (1, 1)
    assert statistics.per_request("global") == (4, 4)


def test_banks_that_many_threads_want_at_once_are_counted():
    wide = ".shared .align 4 .b8 area[8192];\n.reg .f32 %f<4>;"
    body = _PUT.replace("%t0, 2", "%t0, 7") + _STORE
    assert _run(body, wide)[1].per_request("shared") == (32, 1)


_FAULTS = {
    "a race for shared byte": _PUT + _STORE + _LOAD_FIRST,
    "never written": _PUT + _LOAD_FIRST,
    "barrier reached by 10 of 64": "setp.ge.u32 %p1, %t0, 10;\n@%p1 bra $on;\n"
    + _WAIT
    + "$on:\nadd.u32 %t4, %t0, 0;",
    "out of bounds at .* element 64 of array 0": "mov.f32 %f1, 0f3F800000;\nst.global.f32 [%rd0+4], %f1;",
    "out of bounds at .* shared": _PUT + "st.shared.f32 [%t6+4], %f1;",
    "misaligned access of 8 bytes": "st.global.v2.f32 [%rd0], {%f1, %f1};",
    "misaligned access of 8 bytes to shared": _PUT + "st.shared.v2.f32 [%t6], {%f1, %f1};",
    "a race for element 0": "sub.s64 %rd0, %rd0, %q0;\nst.global.f32 [%rd0], %f1;",
    "read of element 0 .* never written": "ld.global.f32 %f1, [%rd0];",
    "a wild address": "mov.u64 %rd0, 16;\nst.global.f32 [%rd0], %f1;",
    "accessed as": "st.global.f64 [%rd0], %q0;",
    "gave up": "trap;",
    "is not known": "atom.global.add.f32 %f1, [%rd0], %f1;",
}


@pytest.mark.parametrize("message", _FAULTS)
def test_faults(message):
    with pytest.raises(PTXError, match=message):
        _run(_FAULTS[message])


def test_one_thread_reads_what_another_writes():
    """In either order it is a race: here the readers come first."""
    body = "sub.s64 %rd1, %rd0, %q0;\nld.global.f32 %f1, [%rd1];\nst.global.f32 [%rd0], %f1;"
    with pytest.raises(PTXError, match="race for element 0"):
        _run(body, defined=True)


@pytest.mark.parametrize(
    ("grid", "block"), [(1, 2048), ((1, 70000), 32), (0, 32), (1, (1, 1, 128))]
)
def test_launches_that_no_gpu_takes(grid, block):
    with pytest.raises(PTXError, match="not allowed"):
        _run("", grid=grid, block=block)


def test_blocks_have_their_own_shared_memory():
    """Four blocks of 16: thread 0 of each writes its block's number, all read it after the barrier."""
    body = (
        "mov.u32 %t4, area;\nmov.u32 %t5, %ctaid.x;\nsetp.ne.u32 %p1, %t0, 0;\n@!%p1 st.shared.u32 [%t4], %t5;\n"
        "bar.sync 0;\nld.shared.u32 %t6, [%t4];\nmul.wide.u32 %q5, %t5, 64;\nadd.s64 %rd0, %rd0, %q5;\n"
        "st.global.u32 [%rd0], %t6;"
    )
    out, _ = _run(body, block=16, grid=4, dtype=np.uint32)
    np.testing.assert_array_equal(out, np.repeat(np.arange(4), 16))
