"""Integers in, integers out: every shape formula of the library, and every error about shapes.

The letters are the same everywhere: N images of H x W pixels and C channels, F filters of KH x KW,
outputs OH x OW, strides SH x SW, dilation DH x DW, pooling windows PH x PW.
"""

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any, NamedTuple

Shape = tuple[int, ...]
Size = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]


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


def images(op: str, shape: Shape) -> Shape:
    """The shape itself, once it is known to be a batch of images with at least one pixel."""
    rank(op, "x", shape, 4, "(N, H, W, C)")
    batch(op, shape)
    if min(shape) < 1:
        raise ValueError(f"{op}: every extent of x must be at least 1. Received: {shape}")
    return shape


def batch(op: str, shape: Shape) -> None:
    if shape[0] < 1:
        raise ValueError(f"{op}: the batch is empty. Received: x {shape}")


def rank(op: str, name: str, shape: Shape, expected: int, letters: str) -> None:
    if len(shape) != expected:
        raise ValueError(f"{op}: {name} must have {expected} axes {letters}. Received: {shape}")


def same(op: str, name: str, shape: Shape, expected: Shape) -> None:
    if tuple(shape) != tuple(expected):
        raise ValueError(
            f"{op}: {name} must have shape {tuple(expected)}. Received: {tuple(shape)}"
        )


def count(op: str, name: str, value: object, least: int = 1) -> int:
    """An int of at least `least`; NumPy's integers count, bools and floats do not."""
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(
            f"{op}: {name} must be an integer of at least {least}. Received: {value!r:.80}"
        )
    return number


def extents(op: str, name: str, value: object, least: int = 0) -> Shape:
    """The shape as a tuple of ints of at least `least`; any sequence of integers counts."""
    if isinstance(value, str | bytes | dict) or not isinstance(value, Sequence):
        raise ValueError(f"{op}: {name} must be a tuple of integers. Received: {value!r:.80}")
    return tuple(count(op, f"every extent of {name}", n, least) for n in value)


def with_batch(op: str, value: object) -> tuple[int | None, ...]:
    """The shape of a layer's input, known to be None for the batch, or a number, and positive integers."""
    if isinstance(value, str | bytes | dict) or not isinstance(value, Sequence) or not value:
        raise ValueError(
            f"{op}: input_shape must be a tuple such as (None, 28, 28, 1). Received: {value!r:.80}"
        )
    batch = None if value[0] is None else count(op, "the batch in input_shape", value[0])
    return batch, *(count(op, "every extent of input_shape but the first", n) for n in value[1:])


def pair(op: str, name: str, value: Size, least: int = 1) -> tuple[int, int]:
    """An int for both axes, or one for each."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) != 2:
            raise ValueError(
                f"{op}: {name} must be one integer or a pair of them. Received: {value!r:.80}"
            )
        return count(op, name, value[0], least), count(op, name, value[1], least)
    number = count(op, name, value, least)
    return number, number


def pads(
    op: str, padding: Padding, extent: Shape, window: Shape, strides: Shape
) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) zeros around an image; "same" follows TensorFlow: the odd one goes to the end."""
    if isinstance(padding, str):
        name = padding.lower()
        if name == "valid":
            return (0, 0), (0, 0)
        if name == "same":
            total = [
                max((-(-n // s) - 1) * s + k - n, 0)
                for n, k, s in zip(extent, window, strides, strict=True)
            ]
            return (total[0] // 2, total[0] - total[0] // 2), (
                total[1] // 2,
                total[1] - total[1] // 2,
            )
        raise ValueError(
            f'{op}: padding must be "valid", "same" or integers. Received: {padding!r:.80}'
        )
    if (
        isinstance(padding, Sequence)
        and len(padding) == 2
        and all(isinstance(p, Sequence) for p in padding)
    ):
        vertical, horizontal = padding[0], padding[1]
        return pair(op, "padding", vertical, 0), pair(op, "padding", horizontal, 0)  # type: ignore[arg-type]
    ph, pw = pair(op, "padding", padding, 0)  # type: ignore[arg-type]
    return (ph, ph), (pw, pw)


class Broadcast(NamedTuple):
    """Two arrays of equal rank as NumPy broadcasts them: the extents of their result, and the step, in elements, by
    which each goes along an axis, 0 where its one element stands for all. Neighbouring axes of one kind are one.
    """

    D0: int
    D1: int
    D2: int
    D3: int
    A0: int
    A1: int
    A2: int
    A3: int
    B0: int
    B1: int
    B2: int
    B3: int

    @property
    def y(self) -> Shape:
        return self[:4]

    @property
    def a(self) -> Shape:
        return tuple(d if step else 1 for d, step in zip(self[:4], self[4:8], strict=True))

    @property
    def b(self) -> Shape:
        return self.swapped().a

    def swapped(self) -> "Broadcast":
        """The same with the arrays in the other order."""
        return Broadcast(*self[:4], *self[8:], *self[4:8])


def broadcast(op: str, a_shape: Shape, b_shape: Shape) -> tuple[Shape, Broadcast]:
    """The shape of what NumPy makes of two arrays of equal rank, and how they go along."""
    a_shape, b_shape = tuple(a_shape), tuple(b_shape)
    pairs = list(zip(a_shape, b_shape, strict=False))
    if len(a_shape) != len(b_shape) or any(m != n and 1 not in (m, n) for m, n in pairs):
        raise ValueError(
            f"{op}: shapes must have as many axes, and on each the same extent or 1. "
            f"Received: a {a_shape}, b {b_shape}"
        )
    if 0 in a_shape + b_shape:
        raise ValueError(f"{op}: arrays must not be empty. Received: a {a_shape}, b {b_shape}")
    axes: list[tuple[int, bool, bool]] = []  # extent, whether a and b go along
    for m, n in pairs:
        kind = m == n or n == 1, m == n or m == 1
        if axes and (axes[-1][1:] == kind or max(m, n) == 1):
            axes[-1] = axes[-1][0] * max(m, n), *axes[-1][1:]
        elif max(m, n) > 1:
            axes.append((max(m, n), *kind))
    if len(axes) > 4:
        raise ValueError(
            f"{op}: axes may change between shared and repeated ones 3 times at most. "
            f"Received: a {a_shape}, b {b_shape}"
        )
    axes = [(1, True, True)] * (4 - len(axes)) + axes
    steps = _steps([d if a else 1 for d, a, _ in axes], [a for _, a, _ in axes])
    steps += _steps([d if b else 1 for d, _, b in axes], [b for _, _, b in axes])
    return tuple(max(m, n) for m, n in pairs), Broadcast(*(d for d, *_ in axes), *steps)


def _steps(extents: list[int], moves: list[bool]) -> list[int]:
    """How far apart an array's neighbours along each axis lie; 0 where it does not go along."""
    steps, step = [], 1
    for extent, moving in zip(extents[::-1], moves[::-1], strict=True):
        steps.insert(0, step if moving else 0)
        step *= extent
    return steps


class Columns(NamedTuple):
    """Columns start..start + K of rows of T numbers, which are rows of K elsewhere."""

    R: int
    K: int
    T: int
    start: int

    @property
    def part(self) -> Shape:
        return self.R, self.K

    @property
    def whole(self) -> Shape:
        return self.R, self.T


def columns(op: str, shape: Shape, axis: int, sizes: Sequence[int]) -> tuple[Columns, ...]:
    """How arrays that lie side by side along an axis of an array of this shape, with these extents, fill it."""
    if isinstance(axis, bool) or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"{op}: axis must be an integer from {-len(shape)} to {len(shape) - 1}. Received: {axis!r:.80}"
        )
    axis %= len(shape)
    sizes = extents(op, "sizes", sizes, 1)
    if sum(sizes) != shape[axis]:
        raise ValueError(
            f"{op}: sizes must add up to the extent {shape[axis]} of axis {axis}. Received: {sizes}"
        )
    R, inner = prod(shape[:axis]), prod(shape[axis + 1 :])
    starts = [sum(sizes[:i]) * inner for i in range(len(sizes))]
    return tuple(
        Columns(R, size * inner, shape[axis] * inner, start)
        for size, start in zip(sizes, starts, strict=True)
    )


def concatenated(op: str, parts: list[Shape], axis: int) -> tuple[Shape, tuple[Columns, ...]]:
    """The shape of arrays side by side along an axis, and the columns of each."""
    first = parts[0]
    inside = isinstance(axis, int) and -len(first) <= axis < len(first)
    at = axis % len(first) if inside else 0
    for i, part in enumerate(parts):
        rest = part[:at] + part[at + 1 :]
        if len(part) != len(first) or rest != first[:at] + first[at + 1 :] or min(part, default=0) < 1:
            raise ValueError(
                f"{op}: arrays must have the same extents, at least 1, on all axes but the one along which they lie. "
                f"Received: arrays[0] {first}, arrays[{i}] {part}, axis {axis!r:.80}"
            )
    sizes = [part[at] for part in parts]
    shape = *first[:at], sum(sizes), *first[at + 1 :]
    return shape, columns(op, shape, axis, sizes)


class Frame(NamedTuple):
    """Images within larger ones: rows and columns that lie around them."""

    N: int
    H: int
    W: int
    C: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def inner(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def outer(self) -> Shape:
        return self.N, self.top + self.H + self.bottom, self.left + self.W + self.right, self.C


def zero_pad2d(x_shape: Shape, padding: Padding) -> Frame:
    """Images (N, H, W, C) with zeros around them."""
    N, H, W, C = images("zero_pad2d", x_shape)
    (top, bottom), (left, right) = _borders("zero_pad2d", "padding", padding)
    return Frame(N, H, W, C, top, bottom, left, right)


def crop2d(x_shape: Shape, cropping: Padding) -> Frame:
    """Images (N, H, W, C), and what is left of them."""
    N, H, W, C = images("crop2d", x_shape)
    (top, bottom), (left, right) = _borders("crop2d", "cropping", cropping)
    if top + bottom >= H or left + right >= W:
        raise ValueError(
            f"crop2d: cropping must leave a pixel at least. Received: x {x_shape}, "
            f"cropping {((top, bottom), (left, right))}"
        )
    return Frame(N, H - top - bottom, W - left - right, C, top, bottom, left, right)


def _borders(op: str, name: str, value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from an integer, a pair, or two pairs."""
    nested = not isinstance(value, str) and isinstance(value, Sequence) and len(value) == 2
    if nested and all(isinstance(p, Sequence) and not isinstance(p, str) for p in value):
        return pair(op, name, value[0], 0), pair(op, name, value[1], 0)
    high, wide = pair(op, name, value, 0)
    return (high, high), (wide, wide)


class Upsample2D(NamedTuple):
    """Images that grow by whole factors."""

    N: int
    H: int
    W: int
    C: int
    SH: int
    SW: int

    @property
    def x(self) -> Shape:
        return self.N, self.H, self.W, self.C

    @property
    def y(self) -> Shape:
        return self.N, self.H * self.SH, self.W * self.SW, self.C


def upsample2d(op: str, x_shape: Shape, size: Size) -> Upsample2D:
    """Images (N, H, W, C), each pixel of which becomes SH x SW."""
    N, H, W, C = images(op, x_shape)
    return Upsample2D(N, H, W, C, *pair(op, "size", size))


def upsampled2d(op: str, y_shape: Shape, size: Size) -> Upsample2D:
    """The same from the large images."""
    (N, H, W, C), (SH, SW) = images(op, y_shape), pair(op, "size", size)
    if H % SH or W % SW:
        raise ValueError(
            f"{op}: the extents of dy must be multiples of size. Received: dy {tuple(y_shape)}, size {(SH, SW)}"
        )
    return Upsample2D(N, H // SH, W // SW, C, SH, SW)
