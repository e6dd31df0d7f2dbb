"""The geometry of poolings to a size."""

from typing import NamedTuple

from numba_cnn.shapes.checks import Shape, Size, images, pair


class AdaptivePool2D(NamedTuple):
    """The extents of one pooling to a size."""

    N: int
    H: int
    W: int
    C: int
    OH: int
    OW: int

    @property
    def x(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def y(self) -> Shape:
        return self.N, self.OH, self.OW, self.C


def adaptive_pool2d(op: str, x_shape: Shape, output_size: Size) -> AdaptivePool2D:
    """The geometry of a pooling of images (N, H, W, C) to one integer or (OH, OW)."""
    N, H, W, C = images(op, x_shape)
    OH, OW = pair(op, "output_size", output_size)
    return AdaptivePool2D(N, H, W, C, OH, OW)
