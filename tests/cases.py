"""Drawn shapes: every extent on its own, ragged against every tile, small enough for thousands."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from numba_cnn import shapes

DTYPES = (np.float32, np.float64)


@dataclass
class Conv2DCase:
    """One convolution: its geometry, its arguments as ops take them, and a seed for its numbers."""

    x_shape: tuple
    weight_shape: tuple
    arguments: dict = field(default_factory=dict)
    relu: bool = False
    seed: int = 0

    @property
    def geometry(self):
        return shapes.conv2d(self.x_shape, self.weight_shape, **self.arguments)

    @property
    def terms(self):
        """How many products an output sums."""
        return int(np.prod(self.weight_shape[:3]))


def _pads(window):
    one = st.integers(0, window)
    return st.sampled_from(["valid", "same"]) | st.tuples(st.tuples(one, one), st.tuples(one, one))


@st.composite
def conv2d_cases(draw, winograd=False):
    """Any convolution; with `winograd`, one that Winograd's algorithms take."""
    groups = 1 if winograd else draw(st.sampled_from([1, 1, 1, 2, 3]))
    C, F = (groups * draw(st.integers(1, 40) | st.sampled_from([1, 3, 16, 32])) for _ in range(2))
    if not winograd and draw(st.integers(0, 5)) == 0:
        groups = C  # depthwise
        F = C * draw(st.integers(1, 2))
    KH, KW = (3, 3) if winograd else (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    steps = st.just((1, 1)) if winograd else st.tuples(st.integers(1, 3), st.integers(1, 3))
    strides, dilation = draw(steps), draw(steps)
    HK, WK = dilation[0] * (KH - 1) + 1, dilation[1] * (KW - 1) + 1
    N, H, W = draw(st.integers(1, 3)), HK + draw(st.integers(0, 17)), WK + draw(st.integers(0, 18))
    padding = draw(_pads(3))
    arguments = {
        "strides": strides,
        "padding": padding,
        "dilation_rate": dilation,
        "groups": groups,
    }
    return Conv2DCase(
        (N, H, W, C),
        (KH, KW, C // groups, F),
        arguments,
        draw(st.booleans()),
        draw(st.integers(0, 2**16)),
    )


@st.composite
def pool_cases(draw):
    """(x_shape, arguments of max_pool2d, seed): overlapping windows and windows with gaps between them."""
    PH, PW = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    strides = draw(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5)))
    pads = (
        st.tuples(st.integers(0, PH - 1), st.integers(0, PH - 1)),
        st.tuples(st.integers(0, PW - 1), st.integers(0, PW - 1)),
    )
    padding = draw(st.sampled_from(["valid", "same"]) | st.tuples(*pads))
    shape = (
        draw(st.integers(1, 3)),
        PH + draw(st.integers(0, 9)),
        PW + draw(st.integers(0, 11)),
        draw(st.integers(1, 40)),
    )
    arguments = {"pool_size": (PH, PW), "strides": strides, "padding": padding}
    return shape, arguments, draw(st.integers(0, 2**16))


def tolerance(dtype, terms):
    """How far a sum of that many products may be off, in units of its largest value."""
    return 8 * np.finfo(dtype).eps * (2 + terms**0.5)


def assert_close(actual, expected, terms, size=0):
    """The largest error is within tolerance() of the largest value, and NaN stands where NaN is expected.

    `size` is how large values usually are: a sum that happens to cancel is no more exact than others.
    """
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    scale = np.abs(np.nan_to_num(expected)).max(initial=max(size, np.finfo(actual.dtype).tiny))
    error = np.abs(np.nan_to_num(actual.astype(np.float64) - expected)).max(initial=0)
    assert error <= tolerance(actual.dtype, terms) * scale
