"""What shapes and sizes may be, and the errors that say so."""

from collections.abc import Sequence
from operator import index

Shape = tuple[int, ...]
Size = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]


def images(op: str, shape: Shape, name: str = "x") -> Shape:
    """The shape itself, once it is known to be a batch of images with at least one pixel."""
    rank(op, name, shape, 4, "(N, H, W, C)")
    batch(op, shape, name)
    if min(shape) < 1:
        raise ValueError(f"{op}: every extent of {name} must be at least 1. Received: {shape}")
    return shape


def written(*extents: object) -> str:
    """A shape as errors write it: (N, 9, 7), (N,)."""
    return f"({', '.join(map(str, extents))}{',' if len(extents) == 1 else ''})"


def batch(op: str, shape: Shape, name: str = "x") -> None:
    if shape[0] < 1:
        raise ValueError(f"{op}: the batch is empty. Received: {name} {shape}")


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
    """The shape of a layer's input, known to be positive integers, or None where the extent is not known."""
    if isinstance(value, str | bytes | dict) or not isinstance(value, Sequence) or not value:
        raise ValueError(
            f"{op}: input_shape must be a tuple such as (None, 28, 28, 1). Received: {value!r:.80}"
        )
    batch = None if value[0] is None else count(op, "the batch in input_shape", value[0])
    return batch, *(
        None if n is None else count(op, "every extent of input_shape but the first", n)
        for n in value[1:]
    )


def fits(shape: Sequence[int | None], pattern: Sequence[int | None]) -> bool:
    """Whether a shape has the extents of a pattern wherever the pattern has one."""
    return len(shape) == len(pattern) and all(
        p is None or n == p for n, p in zip(shape, pattern, strict=True)
    )


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
