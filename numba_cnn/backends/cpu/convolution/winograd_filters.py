"""The transforms of 3x3 filters in panels, which winograd.py and winograd_rgb.py multiply patches by."""

from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution.packing import Axis, pack, panel_width
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.microkernels.winograd_transforms import PLANES, filter_transform
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty, persistent
from numba_cnn.backends.cpu.runtime.threads import get_num_threads


def transformed_filters(weight, filters, caches_filters, apart):
    """Panels (panels, 36 * (rows * width + apart)) of the transforms of 3x3 filters."""
    _, _, rows, columns = filters
    width = NR_VECTORS * lanes(weight.dtype)
    shape = -(-columns.count // width), PLANES * (rows.count * width + apart)
    packed = not _are_upright(filters)
    weight = pack(weight, *filters, Axis(1, 0)) if packed else weight
    weight = weight.reshape(-1)
    made, old = (persistent, weight.shape) if caches_filters else (empty, (0,))
    before, transformed = made(old, weight.dtype), made(shape, weight.dtype)
    _transform_filters(
        get_num_threads(), weight, rows.count, columns.count, packed, before, transformed
    )
    return transformed


def _are_upright(filters):
    """Whether filters lie as the transform reads them; those of an input gradient are turned around."""
    start, *_, columns = filters
    return start == 0 and columns.step == 1


@kernel
def _transform_filters(share, shares, thread, packed):
    """Each share is a run of the rows of all panels; those that equal `before`, unless it is empty, are left."""
    filters, rows, F, in_panels, before, transformed = unpack(packed)
    target, stride = transformed.reshape(-1), transformed.shape[1]
    plane = stride // PLANES
    width = NR_VECTORS * lanes_of(filters)
    for r in range(share * rows // shares, (share + 1) * rows // shares):
        if before.size > 0 and not _update(before, filters, r * F, rows * F, F):
            continue
        for p in range(transformed.shape[0]):
            f = p * width
            wide = panel_width(F - f, filters)
            start, row = (9 * rows * f, wide) if in_panels else (f, F)
            filter_transform(
                (filters, start + r * row, 3 * rows * row, rows * row),
                (target, p * stride + r * wide, 6 * plane, plane), min(wide, F - f),
            )  # fmt: skip


@noinline
def _update(before, filters, start, step, count):
    """Whether some of nine runs of elements differ, NaN from all; they are copied then."""
    unlike = 0
    for i in range(start, start + 9 * step, step):
        old, new = before[i : i + count], filters[i : i + count]
        for k in range(count):
            unlike += old[k] != new[k]
    if unlike > 0:
        for i in range(start, start + 9 * step, step):
            for k in range(i, i + count):  # a slice would take two seconds to compile
                before[k] = filters[k]
    return unlike > 0
