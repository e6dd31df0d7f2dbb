"""What decides by which implementation a pass of a convolution runs.

An implementation is a module of this folder. It names its ALGORITHM, "direct" or "winograd", says whether it
`supports(problem)`, that is, can compute it, and whether it `pays(problem)`: takes less time than what comes
after it in conv2d.py's lists. Then it has forward() or weight_gradient(), or both, whose arguments are these:

    forward(problem, source, weight, filters, bias, output, relu, y, argmax)    y = act(bias + windows times filters)
    weight_gradient(problem, x, dy, dweight, dbias)                             dweight, and dbias (F,)

source   of images, x and dy too: see row_buffers.py
filters  (start, taps, rows, columns) of the weights, as packing.pack() takes them
output   (OH, OW, offset, image step, row step, column step) of y, in elements
argmax   empty; or y has one pixel for each 2x2 outputs, their maximum, and argmax its place
"""

from typing import NamedTuple

import numpy as np

from numba_cnn import shapes

FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT = "forward", "input gradient", "weight gradient"


class Window(NamedTuple):
    """The window that slides over images: its taps, how far they lie apart, its steps, the padding before the image."""

    KH: int
    KW: int
    DH: int
    DW: int
    SH: int
    SW: int
    top: int
    left: int


class Problem(NamedTuple):
    """One pass of a convolution; of an input gradient, one phase of it, see phases.py."""

    of: str  # FORWARD, INPUT_GRADIENT or WEIGHT_GRADIENT
    g: shapes.Conv2D
    dtype: np.dtype
    algorithm: str  # what is asked for: "auto", "direct" or "winograd"
    image: tuple[int, ...]  # (N, H, W, C) of the source; for a weight gradient that is x
    window: Window
    filters: int
    output: tuple[int, int]  # rows and columns
    pooled: bool = False  # whether y is the maxima of 2x2 outputs
    spread: bool = False  # whether dy is one pixel for each 2x2 outputs, and its argmax
    persists: bool = False  # whether a recording is made that may keep arrays from run to run

    @property
    def transposed(self):
        """Whether filters are read turned around, as an input gradient does."""
        return self.of == INPUT_GRADIENT

    @property
    def depthwise(self):
        """Whether each channel has one filter of its own."""
        return self.g.groups == self.g.C == self.g.F > 1


def window_of(g):
    """The window that slides over x."""
    return Window(g.KH, g.KW, g.DH, g.DW, g.SH, g.SW, g.top, g.left)


def words(problem):
    """What the problem is, in a few words."""
    KH, KW, DH, DW, SH, SW, *_ = problem.window
    steps = f", strides {(SH, SW)}" if (SH, SW) != (1, 1) else ""
    holes = f", dilation {(DH, DW)}" if (DH, DW) != (1, 1) else ""
    groups = f", {problem.g.groups} groups" if problem.g.groups > 1 else ""
    channels, filters = problem.image[3], problem.filters
    return f"{KH}x{KW}{steps}{holes}{groups}, {channels} channels, {filters} filters"


def chosen(implementations, problem):
    """The first of the implementations that supports the problem and pays, of the algorithm that is asked for."""
    for module in implementations:
        allowed = problem.algorithm in ("auto", module.ALGORITHM)
        if allowed and module.supports(problem) and module.pays(problem):
            return module
    raise ValueError(
        f"conv2d: no implementation computes this {problem.of} by the algorithm. "
        f"Received: {problem.algorithm!r}, {problem.g}"
    )
