"""Cross-correlation as an implicit matrix product: what conv2d, its input gradient and dense have
in common.

    out[m, n] = sum over taps and channels k of source[window(m, tap), k] * weight[tap, k, n]

Row m of the product is one output pixel, column n one output channel. No window is ever written
down: a thread keeps the places of its few pixels and moves them on from tap to tap. The input
gradient is the same product over dy: its windows run backwards (a negative dilation), and its
weights are read with k and n exchanged (`transposed`).
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from numba_cnn.backends.cuda.correlate_kernel import correlate_kernel
from numba_cnn.backends.cuda.launch import launch, splits
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.sums import sum_partials
from numba_cnn.backends.cuda.tile import Divisor, Tile, tile_for


class Correlation(NamedTuple):
    """What the kernel is told beside its arrays: extents of the product, and how its indices become
    offsets.
    """

    M: np.int32  # output pixels
    N: np.int32  # output channels
    C: np.int32  # channels of the source, the depth of one tap
    H: np.int32  # extents of a source image
    W: np.int32
    TH: np.int32  # taps
    TW: np.int32
    OH: Divisor  # extents of an output image
    OW: Divisor
    SH: np.int32  # source row = oh * SH + kh * DH - top
    SW: np.int32
    DH: np.int32
    DW: np.int32
    top: np.int32
    left: np.int32
    weight_start: np.int32  # offset = start + kh * kh_step + kw * kw_step + row * row_step + column
    weight_kh: np.int32
    weight_kw: np.int32
    weight_row: np.int32
    out_start: np.int32  # offset = start + n * image + oh * row + ow * pixel + column
    out_image: np.int32
    out_row: np.int32
    out_pixel: np.int32
    steps: np.int32  # slabs of one split; each split of the depth has its own partial result
    out_split: np.int32


class Axis(NamedTuple):
    """One axis of a correlation: output i lies at first + i * step and sees source i * stride + tap
    * dilation - pad.
    """

    extent: int
    taps: int
    stride: int
    dilation: int
    pad: int
    first: int = 0
    step: int = 1
    first_tap: int = 0  # the filter's own tap is first_tap + tap * tap_step
    tap_step: int = 1


def correlate(source, weight, bias, relu, pieces, transposed, out):
    """Fill `out` (N, H, W, channels) piece by piece; a piece is a pair of axes, and pieces don't
    overlap.
    """
    plan = _plan(source.shape, weight.shape, tuple(pieces), transposed, out.shape)
    split = plan.parts > 1
    target = empty((plan.parts * out.shape[0], *out.shape[1:]), out.dtype) if split else out
    biased, relued = bias is not None and not split, relu and not split
    run = correlate_kernel(plan.tile, transposed, plan.ragged, biased, relued)
    for blocks, geometry in plan.launches:
        launch(
            run,
            blocks,
            plan.tile.threads,
            source,
            weight,
            bias if biased else out,
            geometry,
            target,
        )
    if split:
        sum_partials(target, plan.parts, bias, relu, out)


class _Plan(NamedTuple):
    tile: Tile
    ragged: bool
    parts: int  # partial results, each from its own part of the depth
    launches: list


@lru_cache
def _plan(source, weight, pieces, transposed, out):
    (images, H, W, C), (_, KW, channels, F), N = source, weight, out[3]
    tile = tile_for(max(images * rows.extent * columns.extent for rows, columns in pieces), N)
    grids, steps = [], []
    for rows, columns in pieces:
        grids.append(tile.blocks(images * rows.extent * columns.extent, N))
        steps.append(-(-C // tile.BK) * rows.taps * columns.taps)
    parts = splits(max(x * y for x, y in grids), max(steps))
    launches = []
    for (rows, columns), grid, count in zip(pieces, grids, steps, strict=True):
        tap = channels * F
        fields = {
            "M": images * rows.extent * columns.extent,
            "N": N,
            "C": C,
            "H": H,
            "W": W,
            "TH": rows.taps if columns.taps else 0,
            "TW": max(columns.taps, 1),
            "SH": rows.stride,
            "SW": columns.stride,
            "DH": rows.dilation,
            "DW": columns.dilation,
            "top": rows.pad,
            "left": columns.pad,
            "weight_start": (rows.first_tap * KW + columns.first_tap) * tap,
            "weight_kh": rows.tap_step * KW * tap,
            "weight_kw": columns.tap_step * tap,
            "weight_row": F,
            "out_start": (rows.first * out[2] + columns.first) * N,
            "out_image": out[1] * out[2] * N,
            "out_row": rows.step * out[2] * N,
            "out_pixel": columns.step * N,
            "steps": -(-count // parts),
            "out_split": prod(out),
        }
        typed = {name: np.int32(value) for name, value in fields.items()}
        divisors = {"OH": Divisor.of(rows.extent), "OW": Divisor.of(columns.extent)}
        launches.append(((*grid, parts), Correlation(**typed, **divisors)))
    return _Plan(tile, bool(C % 4 or N % 4), parts, launches)
