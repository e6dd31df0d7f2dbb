"""The input gradient of a strided convolution, phase by phase: pixels a stride apart see the same taps."""

from math import gcd
from typing import NamedTuple

from numba_cnn.backends.cpu.convolution.packing import Axis
from numba_cnn.backends.cpu.convolution.problem import Window


class AxisPhase(NamedTuple):
    """How the pixels start, start + S, ... along one axis are correlated with dy."""

    start: int
    pixels: int
    taps: int
    last: int = 0  # the tap that comes first, since taps are turned around
    step: int = 0  # from one of the taps to the next
    dilation: int = 0
    padding: int = 0  # before


class Phase(NamedTuple):
    """Pixels of dx, along both axes, and how they are correlated with dy."""

    rows: AxisPhase
    columns: AxisPhase

    @property
    def window(self):
        """The window over dy, as in problem.py."""
        rows, columns = self
        dilation, padding = (rows.dilation, columns.dilation), (rows.padding, columns.padding)
        return Window(rows.taps, columns.taps, *dilation, 1, 1, *padding)

    def filters(self, g):
        """The filters, turned around, as packing.pack() takes them."""
        rows, columns = self
        tap = g.weight[2] * g.F
        taps = Axis(rows.taps, -rows.step * g.KW * tap), Axis(columns.taps, -columns.step * tap)
        start = (rows.last * g.KW + columns.last) * tap
        return start, taps, Axis(g.F // g.groups, 1), Axis(g.C // g.groups, g.F)

    def output(self, g):
        """The pixels' places in dx, as in problem.py."""
        rows, columns = self
        first = (rows.start * g.W + columns.start) * g.C
        steps = g.H * g.W * g.C, g.SH * g.W * g.C, g.SW * g.C
        return rows.pixels, columns.pixels, first, *steps


def phases(g):
    """The phases of an input gradient; pixels that no window reaches are in none."""
    rows = [_phase(h, g.H, g.KH, g.DH, g.SH, g.top) for h in range(min(g.SH, g.H))]
    columns = [_phase(w, g.W, g.KW, g.DW, g.SW, g.left) for w in range(min(g.SW, g.W))]
    return tuple(Phase(r, c) for r in rows for c in columns if r.taps and c.taps)


def _phase(start, extent, K, D, S, before):
    """The phase of the pixels from `start` on, of K taps at dilation D; `before` zeros lie before the image."""
    pixels = -(-(extent - start) // S)
    common = gcd(D, S)
    step, dilation = S // common, D // common
    reached = [k for k in range(min(step, K)) if (start + before - k * D) % S == 0]
    if not reached:
        return AxisPhase(start, pixels, taps=0)
    taps = -(-(K - reached[0]) // step)
    # Of the first tap's dy from the pixel's own place.
    offset = (start + before - reached[0] * D) // S
    padding = (taps - 1) * dilation - offset
    return AxisPhase(start, pixels, taps, reached[0] + (taps - 1) * step, step, dilation, padding)
