"""The geometry of convolutions and dense layers."""

from typing import NamedTuple

from numba_cnn.shapes.checks import Padding, Shape, Size, batch, count, images, pads, pair, rank
from numba_cnn.shapes.pooling import Pool2D


class Conv2D(NamedTuple):
    """The extents of one convolution; what every conv2d kernel is told beside its arrays."""

    N: int
    H: int
    W: int
    C: int
    KH: int
    KW: int
    F: int
    groups: int
    SH: int
    SW: int
    DH: int
    DW: int
    top: int
    bottom: int
    left: int
    right: int
    OH: int
    OW: int

    @property
    def x(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def weight(self) -> Shape:
        return self.KH, self.KW, self.C // self.groups, self.F

    @property
    def y(self) -> Shape:
        return self.N, self.OH, self.OW, self.F

    @property
    def pooled_y(self) -> Shape:
        """The output's shape after a 2x2 max pooling."""
        return self.N, self.OH // 2, self.OW // 2, self.F

    @property
    def winograd(self) -> bool:
        """Whether Winograd's 3x3 algorithms apply."""
        return (self.KH, self.KW, self.SH, self.SW, self.DH, self.DW, self.groups) == (
            3,
            3,
            1,
            1,
            1,
            1,
            1,
        )


def conv2d(
    x_shape: Shape,
    weight_shape: Shape,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
) -> Conv2D:
    """The geometry of a convolution of images (N, H, W, C) with filters (KH, KW, C/groups, F)."""
    N, H, W, C = images("conv2d", x_shape)
    rank("conv2d", "weight", weight_shape, 4, "(KH, KW, C/groups, F)")
    KH, KW, Cg, F = weight_shape
    SH, SW = pair("conv2d", "strides", strides)
    DH, DW = pair("conv2d", "dilation_rate", dilation_rate)
    groups = count("conv2d", "groups", groups)
    if min(KH, KW, Cg, F) < 1:
        raise ValueError(
            f"conv2d: every extent of weight must be at least 1. Received: {weight_shape}"
        )
    if Cg * groups != C:
        raise ValueError(
            f"conv2d: x has {C} channels but weight expects {Cg * groups} ({groups} group(s) of {Cg}). "
            f"Received: x {x_shape}, weight {weight_shape}"
        )
    if F % groups:
        raise ValueError(
            f"conv2d: the filters must divide into the groups. Received: {F} filters, {groups} groups"
        )
    KHD, KWD = DH * (KH - 1) + 1, DW * (KW - 1) + 1
    (top, bottom), (left, right) = pads("conv2d", padding, (H, W), (KHD, KWD), (SH, SW))
    OH, OW = (H + top + bottom - KHD) // SH + 1, (W + left + right - KWD) // SW + 1
    if OH < 1 or OW < 1:
        raise ValueError(
            f"conv2d: a filter that covers {KHD}x{KWD} pixels does not fit into an image of "
            f"{H + top + bottom}x{W + left + right} (padding included). "
            f"Received: x {x_shape}, weight {weight_shape}, padding {padding!r}, dilation_rate {(DH, DW)}"
        )
    return Conv2D(N, H, W, C, KH, KW, F, groups, SH, SW, DH, DW, top, bottom, left, right, OH, OW)


def pooled(g: Conv2D) -> tuple[Conv2D, Pool2D]:
    """A convolution whose output a 2x2 max pooling takes: without the odd last row and column, and the pooling."""
    OH, OW = g.OH // 2, g.OW // 2
    if OH < 1 or OW < 1:
        raise ValueError(
            f"conv2d_max_pool2d: a window of 2x2 does not fit into the convolution's output. Received: {g.OH}x{g.OW}"
        )
    pool = Pool2D(g.N, 2 * OH, 2 * OW, g.F, 2, 2, 2, 2, 0, 0, 0, 0, OH, OW)
    return g._replace(OH=2 * OH, OW=2 * OW), pool


def dense(x_shape: Shape, weight_shape: Shape) -> tuple[int, int, int]:
    """(N, K, F) of the product of x (N, K) and weight (K, F)."""
    rank("dense", "x", x_shape, 2, "(N, K)")
    rank("dense", "weight", weight_shape, 2, "(K, F)")
    (N, K), (KW, F) = x_shape, weight_shape
    batch("dense", x_shape)
    if K != KW:
        raise ValueError(
            f"dense: x has {K} features but weight expects {KW}. Received: x {x_shape}, weight {weight_shape}"
        )
    if min(K, F) < 1:
        raise ValueError(
            f"dense: every extent of weight must be at least 1. Received: {weight_shape}"
        )
    return N, K, F
