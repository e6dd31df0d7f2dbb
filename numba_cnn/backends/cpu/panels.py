"""Filters in the order in which tiles read them: panels as wide as a tile, their rows one after the other."""

from typing import NamedTuple

from numba_cnn.backends.cpu.compiler import inline, kernel
from numba_cnn.backends.cpu.memory import empty
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import VECTORS, lanes_of
from numba_cnn.backends.cpu.vector import lanes


class Axis(NamedTuple):
    """How many of something there are, and how many elements apart they lie in the source."""

    count: int
    step: int


def pack(source, start, taps, rows, columns, groups):
    """(groups * panels, taps * rows * width): the elements at start + g + i + j + r + l, by their axes' steps.

    `taps` are two axes. The last panel of a group is one vector wide where that is enough; zeros fill it up.
    """
    width = VECTORS * lanes(source.dtype)
    I, J = taps
    shape = groups.count * -(-columns.count // width), I.count * J.count * rows.count * width
    panels = empty(shape, source.dtype)
    _pack(
        get_num_threads(), source.reshape(-1), start, tuple(I), tuple(J), tuple(rows), tuple(columns), tuple(groups),
        panels.reshape(-1),
    )  # fmt: skip
    return panels


@kernel
def _pack(w, workers, source, start, i_axis, j_axis, rows, columns, groups, panels):
    """Each worker owns whole panels."""
    I, i_step = i_axis
    J, j_step = j_axis
    R, r_step = rows
    L, l_step = columns
    G, g_step = groups
    width = VECTORS * lanes_of(panels)
    each = -(-L // width)
    stride = I * J * R * width
    for task in range(w * G * each // workers, (w + 1) * G * each // workers):
        g, l0 = task // each, task % each * width
        wide = panel_width(L - l0, panels)
        for i in range(I):
            for j in range(J):
                o = start + g * g_step + i * i_step + j * j_step + l0 * l_step
                t = task * stride + (i * J + j) * R * wide
                _pack_block(source, o, r_step, l_step, R, min(wide, L - l0), panels, t, wide)


@inline
def panel_width(left, array):
    """The width of the panel that begins where `left` columns are left."""
    VL = lanes_of(array)
    return VL if left <= VL else VECTORS * VL


@inline
def _pack_block(source, o, r_step, l_step, R, L, panels, t, width):
    if l_step == 1:
        for r in range(R):
            for l in range(L):
                panels[t + r * width + l] = source[o + r * r_step + l]
            for l in range(L, width):
                panels[t + r * width + l] = 0
        return
    for r0 in range(0, R, 16):  # a transpose, in blocks that the first-level cache holds
        R1 = min(r0 + 16, R)
        for l in range(L):
            for r in range(r0, R1):
                panels[t + r * width + l] = source[o + r * r_step + l * l_step]
        for r in range(r0, R1):
            for l in range(L, width):
                panels[t + r * width + l] = 0
