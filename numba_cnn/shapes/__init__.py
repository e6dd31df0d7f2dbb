"""Integers in, integers out: every shape formula of the library, and every error about shapes.

The letters are the same everywhere: N images of H x W pixels and C channels, F filters of KH x KW,
outputs OH x OW, strides SH x SW, dilation DH x DW, pooling windows PH x PW.
"""

from numba_cnn.shapes.adaptive_pooling import AdaptivePool2D, adaptive_pool2d
from numba_cnn.shapes.checks import (
    Padding,
    Shape,
    Size,
    batch,
    count,
    extents,
    fits,
    images,
    pads,
    pair,
    rank,
    same,
    with_batch,
    written,
)
from numba_cnn.shapes.convolution import Conv2D, conv2d, dense, pooled
from numba_cnn.shapes.merging import Broadcast, Columns, broadcast, columns, concatenated
from numba_cnn.shapes.permuting import Permutation, permutation
from numba_cnn.shapes.pooling import Pool2D, average_pool2d, max_pool2d
from numba_cnn.shapes.resizing import Frame, Upsample2D, crop2d, upsample2d, upsampled2d, zero_pad2d
from numba_cnn.shapes.warping import AffineRanges, AffineTransform2D, affine_transform2d

__all__ = [
    "AdaptivePool2D",
    "AffineRanges",
    "AffineTransform2D",
    "Broadcast",
    "Columns",
    "Conv2D",
    "Frame",
    "Padding",
    "Permutation",
    "Pool2D",
    "Shape",
    "Size",
    "Upsample2D",
    "adaptive_pool2d",
    "affine_transform2d",
    "average_pool2d",
    "batch",
    "broadcast",
    "columns",
    "concatenated",
    "conv2d",
    "count",
    "crop2d",
    "dense",
    "extents",
    "fits",
    "images",
    "max_pool2d",
    "pads",
    "pair",
    "permutation",
    "pooled",
    "rank",
    "same",
    "upsample2d",
    "upsampled2d",
    "with_batch",
    "written",
    "zero_pad2d",
]
