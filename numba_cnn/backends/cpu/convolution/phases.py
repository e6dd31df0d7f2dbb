"""The input gradient of a strided convolution, phase by phase: pixels a stride apart see the same taps."""

from math import gcd
from typing import NamedTuple


class Phase(NamedTuple):
    """How the pixels start, start + S, ... along one axis are correlated with dy."""

    pixels: int
    taps: int
    last: int = 0  # the tap that comes first, since taps are turned around
    step: int = 0  # from one of the taps to the next
    dilation: int = 0
    padding: int = 0  # before


def phase(start, extent, K, D, S, before):
    """The phase of the pixels from `start` on, of K taps at dilation D; `before` zeros lie before the image."""
    pixels = -(-(extent - start) // S)
    common = gcd(D, S)
    step, dilation = S // common, D // common
    reached = [k for k in range(min(step, K)) if (start + before - k * D) % S == 0]
    if not reached:
        return Phase(pixels, taps=0)
    taps = -(-(K - reached[0]) // step)
    offset = (
        start + before - reached[0] * D
    ) // S  # of the first tap's dy from the pixel's own place
    padding = (taps - 1) * dilation - offset
    return Phase(pixels, taps, reached[0] + (taps - 1) * step, step, dilation, padding)
