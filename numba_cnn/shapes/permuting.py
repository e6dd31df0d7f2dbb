"""The geometry of arrays whose axes change places."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from numba_cnn.shapes.checks import Shape, extents

_AXES = 6


class Permutation(NamedTuple):
    """The extents of the result, and the step, in elements of the input, along each of its axes.

    Neighbours that stay neighbours are one axis.
    """

    D0: int
    D1: int
    D2: int
    D3: int
    D4: int
    D5: int
    S0: int
    S1: int
    S2: int
    S3: int
    S4: int
    S5: int

    @property
    def x(self) -> Shape:
        return (prod(self[:_AXES]),)

    @property
    def y(self) -> Shape:
        return self.x


def permutation(op: str, shape: Shape, axes: Sequence[int]) -> tuple[Shape, Permutation]:
    """The shape of an array whose axes lie in another order, as NumPy's transpose has it, and how to get there."""
    shape, axes = tuple(shape), extents(op, "axes", axes)
    if sorted(axes) != list(range(len(shape))):
        raise ValueError(
            f"{op}: axes must be each of the array's {len(shape)} axes once. Received: {axes}"
        )
    if 0 in shape:
        raise ValueError(f"{op}: the array must not be empty. Received: {shape}")
    made = tuple(shape[axis] for axis in axes)
    groups: list[tuple[int, int]] = []  # extent, step
    for axis in axes:
        extent, step = shape[axis], prod(shape[axis + 1 :])
        if groups and groups[-1][1] == extent * step:
            groups[-1] = groups[-1][0] * extent, step
        elif extent > 1:
            groups.append((extent, step))
    if len(groups) > _AXES:
        raise ValueError(
            f"{op}: at most {_AXES} axes may change places. Received: axes {axes} of {shape}"
        )
    groups = [(1, 1)] * (_AXES - len(groups)) + groups
    return made, Permutation(*(n for n, _ in groups), *(step for _, step in groups))
