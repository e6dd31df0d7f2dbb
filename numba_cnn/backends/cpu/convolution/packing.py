"""Filters in the order in which brgemm.py reads them: panels as wide as a tile, their rows one after the other."""

from typing import NamedTuple

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.microkernels.copy import copy_rows, transpose
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads


class Axis(NamedTuple):
    """How many of something there are, and how many elements apart they lie in the source."""

    count: int
    step: int


def pack(source, start, taps, rows, columns, groups):
    """(groups * panels, taps * rows * width): the elements at start + g + i + j + r + l, by their axes' steps.

    `taps` are two axes. The last panel of a group is one vector wide where that is enough; zeros fill it up.
    """
    width = NR_VECTORS * lanes(source.dtype)
    I, J = taps
    shape = groups.count * -(-columns.count // width), I.count * J.count * rows.count * width
    panels = empty(shape, source.dtype)
    _pack(
        get_num_threads(), source.reshape(-1), start, tuple(I), tuple(J), tuple(rows), tuple(columns), tuple(groups),
        panels.reshape(-1),
    )  # fmt: skip
    return panels


@kernel
def _pack(share, shares, thread, packed):
    """Each share is a run of rows of all panels, which it reads as they lie, or whole panels to turn around."""
    source, start, i_axis, j_axis, r_axis, l_axis, g_axis, panels = unpack(packed)
    I, i_step = i_axis
    J, j_step = j_axis
    R, r_step = r_axis
    L, l_step = l_axis
    G, g_step = g_axis
    width = NR_VECTORS * lanes_of(panels)
    each = -(-L // width)
    stride = I * J * R * width
    if l_step == 1:
        for row in range(share * G * I * J * R // shares, (share + 1) * G * I * J * R // shares):
            g, i, j, r = row // (I * J * R), row // (J * R) % I, row // R % J, row % R
            o, t = start + g * g_step + i * i_step + j * j_step + r * r_step, g * each * stride
            whole = L // width
            place = row % (I * J * R)
            copy_rows(
                (source, source, o, False, width), (panels, t + place * width, stride), (whole, width, width)
            )  # fmt: skip
            left = L - whole * width
            if left > 0:
                wide = panel_width(left, panels)
                t += whole * stride + place * wide
                rest = source, source, o + whole * width, False, 0
                copy_rows(rest, (panels, t, 0), (1, left, wide))
        return
    for task in range(share * G * each // shares, (share + 1) * G * each // shares):
        g, l0 = task // each, task % each * width
        wide = panel_width(L - l0, panels)
        columns = min(wide, L - l0)
        for i in range(I):
            for j in range(J):
                o = start + g * g_step + i * i_step + j * j_step + l0 * l_step
                t = task * stride + (i * J + j) * R * wide
                pack_transposed(source, o, l_step, R, columns, panels, t, wide)


@inline
def pack_transposed(source, o, l_step, R, columns, panels, t, wide):
    """As copy_rows, where the rows of the panel are the columns of the source: block after block is transposed."""
    VL = lanes_of(panels)
    for l in range(0, wide, VL):
        for r in range(0, R, VL):
            block, shape = (source, o + l * l_step + r, l_step), (columns - l, min(VL, R - r))
            transpose(block, shape, (panels, t + r * wide + l, wide), 0, False)


@noinline
def panel_width(left, array):
    """The width of the panel that begins where `left` columns are left."""
    VL = lanes_of(array)
    return VL if left <= VL else NR_VECTORS * VL
