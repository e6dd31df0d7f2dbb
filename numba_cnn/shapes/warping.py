"""The geometry of images that are looked at through affine maps."""

from typing import NamedTuple

from numba_cnn.shapes.checks import Shape, Size, images, pair


class AffineTransform2D(NamedTuple):
    """Images, and others of OH x OW pixels that are taken from them."""

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

    @property
    def matrices(self) -> Shape:
        return self.N, 6


class AffineRanges(NamedTuple):
    """What random maps are drawn from: pairs of the least and the largest number, each evenly in between.

    angle        in radians
    zoom         by how much rows and columns lie further apart in the source
    shift        how far rows and columns move, in pixels of the source
    flip         whether half of the images have their rows, or their columns, in reverse order
    is_square    whether columns are zoomed as rows are
    is_whole     whether shifts are rounded down to whole pixels
    """

    angle: tuple[float, float] = (0.0, 0.0)
    zoom_rows: tuple[float, float] = (1.0, 1.0)
    zoom_columns: tuple[float, float] = (1.0, 1.0)
    shift_rows: tuple[float, float] = (0.0, 0.0)
    shift_columns: tuple[float, float] = (0.0, 0.0)
    flip_rows: bool = False
    flip_columns: bool = False
    is_square: bool = False
    is_whole: bool = False


def affine_transform2d(op: str, x_shape: Shape, size: Size | None) -> AffineTransform2D:
    """Images (N, H, W, C) and those taken from them, of `size`, or as large as they are."""
    N, H, W, C = images(op, x_shape)
    OH, OW = (H, W) if size is None else pair(op, "size", size)
    return AffineTransform2D(N, H, W, C, OH, OW)
