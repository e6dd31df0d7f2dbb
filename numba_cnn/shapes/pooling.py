"""The geometry of poolings."""

from typing import NamedTuple

from numba_cnn.shapes.checks import Padding, Shape, Size, images, pads, pair


class Pool2D(NamedTuple):
    """The extents of one pooling; what every pooling kernel is told beside its arrays."""

    N: int
    H: int
    W: int
    C: int
    PH: int
    PW: int
    SH: int
    SW: int
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
    def y(self) -> Shape:
        return self.N, self.OH, self.OW, self.C


def max_pool2d(
    x_shape: Shape, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
) -> Pool2D:
    """The geometry of a max pooling of images (N, H, W, C); strides default to the pool size."""
    return _pool2d("max_pool2d", x_shape, pool_size, strides, padding)


def average_pool2d(
    x_shape: Shape, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
) -> Pool2D:
    """The geometry of an average pooling, which is that of a max pooling."""
    return _pool2d("average_pool2d", x_shape, pool_size, strides, padding)


def _pool2d(
    op: str, x_shape: Shape, pool_size: Size, strides: Size | None, padding: Padding
) -> Pool2D:
    N, H, W, C = images(op, x_shape)
    PH, PW = pair(op, "pool_size", pool_size)
    SH, SW = (PH, PW) if strides is None else pair(op, "strides", strides)
    (top, bottom), (left, right) = pads(op, padding, (H, W), (PH, PW), (SH, SW))
    if max(top, bottom) >= PH or max(left, right) >= PW:
        raise ValueError(
            f"{op}: padding must be smaller than the window, or a window holds no pixel. "
            f"Received: padding {padding!r}, pool_size {(PH, PW)}"
        )
    OH, OW = (H + top + bottom - PH) // SH + 1, (W + left + right - PW) // SW + 1
    if OH < 1 or OW < 1:
        raise ValueError(
            f"{op}: a window of {PH}x{PW} does not fit into an image of {H + top + bottom}x{W + left + right} "
            f"(padding included). Received: x {x_shape}, padding {padding!r}"
        )
    return Pool2D(N, H, W, C, PH, PW, SH, SW, top, bottom, left, right, OH, OW)
