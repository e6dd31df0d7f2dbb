"""How arrays go along with one another, and side by side."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from numba_cnn.shapes.checks import Shape, extents


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
    steps: list[int] = []
    step = 1
    for extent, moving in zip(extents[::-1], moves[::-1], strict=True):
        steps.insert(0, step if moving else 0)
        step *= extent
    return steps


class Columns(NamedTuple):
    """Columns start..start + K of rows of T, which are rows of K elsewhere, and behind them L of the next part."""

    R: int
    K: int
    L: int
    T: int
    start: int

    @property
    def part(self) -> Shape:
        return self.R, self.K

    @property
    def next_part(self) -> Shape:
        return self.R, self.L

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
    widths = [size * inner for size in (*sizes, 0)]  # behind the last part lies none
    starts = accumulate(widths[:-2], initial=0)
    return tuple(
        Columns(R, K, L, shape[axis] * inner, start)
        for (K, L), start in zip(pairwise(widths), starts, strict=True)
    )


def concatenated(op: str, parts: list[Shape], axis: int) -> tuple[Shape, tuple[Columns, ...]]:
    """The shape of arrays side by side along an axis, and the columns of each."""
    first = parts[0]
    inside = isinstance(axis, int) and -len(first) <= axis < len(first)
    at = axis % len(first) if inside else 0
    for i, part in enumerate(parts):
        rest = part[:at] + part[at + 1 :]
        if (
            len(part) != len(first)
            or rest != first[:at] + first[at + 1 :]
            or min(part, default=0) < 1
        ):
            raise ValueError(
                f"{op}: arrays must have the same extents, at least 1, on all axes but the one along which they lie. "
                f"Received: arrays[0] {first}, arrays[{i}] {part}, axis {axis!r:.80}"
            )
    sizes = [part[at] for part in parts]
    shape = *first[:at], sum(sizes), *first[at + 1 :]
    return shape, columns(op, shape, axis, sizes)
