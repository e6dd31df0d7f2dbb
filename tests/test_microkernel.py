"""How kernels call micro-kernels: groups of operands, and what is refused when they are typed."""

from typing import NamedTuple

import numba
import numpy as np
import pytest

from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.microkernels.copy import copy_rows


class Rows(NamedTuple):
    array: np.ndarray
    start: int
    step: int


@emitted(source="aan", target="an", count="n")
def add_rows(v, source, target, count):
    """target[r*t_row] = a[r*s_row] + b[r*s_row], a vector of each row."""
    (a, b, s_row), (target, t_row) = source, target
    build = v.builder

    def row(a, b, target):
        v.store(build.fadd(v.load(a), v.load(b)), target)
        return [build.gep(a, [s_row]), build.gep(b, [s_row]), build.gep(target, [t_row])]

    v.repeat(count, [a, b, target], row)


@microkernel(x="an", y="an", factor="f", flag="?", count="n")
def scale(x, y, factor, flag, count):
    """y[i*y_m] = factor * x[i*x_m] if flag, for i < count."""
    (x, x_m), (y, y_m) = x, y
    if flag:
        for i in range(count):
            y[i * y_m] = factor * x[i * x_m]


@numba.njit
def _added(a, b, target, step):
    add_rows((a, b, 1, step), target=(target, 2, 20), count=2)


@numba.njit
def _added_by_name(a, b, rows, step):
    add_rows((a, b, 1, step), rows, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_side_by_side_begin_at_one_start(dtype):
    VL, step = lanes(dtype), 20
    a, b = np.arange(60, dtype=dtype), 100 * np.arange(60, dtype=dtype)
    wanted = np.zeros(60, dtype)
    for r in range(2):
        wanted[2 + 20 * r : 2 + 20 * r + VL] = (a + b)[1 + r * step : 1 + r * step + VL]
    target = np.zeros(60, dtype)
    _added(a, b, target, step)
    np.testing.assert_array_equal(target, wanted)
    target[:] = 0
    _added_by_name(a, b, Rows(target, 2, 20), step)
    np.testing.assert_array_equal(target, wanted)


@numba.njit
def _scaled(address, x, y, factor, flag):
    scale(address, (x, 1, 2), (y, 3, 1), factor, flag, count=4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("flag", [False, True])
def test_by_address(dtype, flag):
    x, y = np.arange(9, dtype=dtype), np.zeros(9, dtype)
    _scaled(scale.address(dtype), x, y, dtype(3), flag)
    np.testing.assert_array_equal(y, [0, 0, 0, 3, 9, 15, 21, 0, 0] if flag else np.zeros(9))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (np.zeros((2, 8), np.float32), np.zeros(8, np.float32)),
        (np.zeros(16, np.float32)[::2], np.zeros(8, np.float32)),
        (np.zeros(8, np.float32), np.zeros(8, np.float64)),
        (np.zeros(8, np.int32), np.zeros(8, np.int32)),
    ],
    ids=["2-D", "strided", "mixed", "integers"],
)
def test_arrays_that_a_pointer_would_read_wrongly_are_refused(source, target):
    @numba.njit
    def copied(source, target):
        copy_rows((source, source, 0, False, 0), (target, 0, 0), (1, 8, 8))

    with pytest.raises(numba.TypingError, match="copy_rows: expected flat contiguous arrays"):
        copied(source, target)


def test_a_group_with_a_field_too_few_is_refused():
    @numba.njit
    def copied(x):
        copy_rows((x, x, 0, False), (x, 0, 0), (1, 8, 8))

    with pytest.raises(numba.TypingError, match=r"copy_rows: expected \{'source': 'aa\?n'"):
        copied(np.zeros(8, np.float32))


def test_groups_are_those_of_the_function():
    with pytest.raises(AssertionError, match="wrong"):

        @emitted(x="a", z="n")
        def wrong(v, x, y):
            pass
