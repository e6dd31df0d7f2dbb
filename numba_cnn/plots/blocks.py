"""A network as tutorials draw it: a block for what each layer gives, as high as its maps, as deep as they are many."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba_cnn.plots import figures
from numba_cnn.plots.figures import Figure, figure

_TALL, _THICK = 3.2, 1.6  # of the largest block
_GAP = 0.6
_ROW = 19.0  # how long a row of blocks may be
_SLANT = 0.35, 0.3  # where the back of a block lies, in parts of its width


class _Block(NamedTuple):
    """What a run of layers gives that change its shape no further."""

    shape: tuple[int, ...]
    layers: list[str]


@figure
def blocks(model: Any) -> Figure:
    """The model as blocks from left to right, in the order in which its layers run, each with its size and its layers.

    Layers that change no shape share the block of the layer before them.
    """
    figures.check_model("blocks", model)
    found = _blocks(model)
    sizes = _sizes([block.shape for block in found])
    labels = [_label(block) for block in found]
    steps = [max(w + _SLANT[0] * h * 0.5 + _GAP, 1.35) for w, h in sizes]
    rows = _in_rows(steps, _ROW)
    width = max(sum(steps[i] for i in row) for row in rows)
    high = _TALL + 2.3
    made = figures.new(0.62 * (width + 0.4), 0.62 * high * len(rows))
    made.set_layout_engine(None)
    axes = made.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.2, width + 0.2), ylim=(-high * len(rows), 0), aspect="equal")
    axes.axis("off")
    for number, row in enumerate(rows):
        x, middle = 0.0, -number * high - _TALL / 2 - 1.1
        for i in row:
            _draw(axes, found[i], labels[i], (x, middle, steps[i]), sizes[i])
            x += steps[i]
    return made


def _blocks(model: Any) -> list[_Block]:
    start = model.input_shape
    first = start[0] if isinstance(start, list) else start
    found = [_Block(tuple(n or 1 for n in first[1:]), ["Input"])]
    for layer in model._leaves():
        shape = layer.output_shape
        if layer.class_name == "InputLayer" or not isinstance(shape, tuple):
            continue
        sizes = tuple(n or 1 for n in shape[1:])
        if sizes == found[-1].shape:
            found[-1].layers.append(_words(layer))
        else:
            found.append(_Block(sizes, [_words(layer)]))
    return found


def _words(layer: Any) -> str:
    """The class of a layer, with the size of its filters or windows."""
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    name = layer.class_name.replace("Pooling2D", "Pool").replace("BatchNormalization", "BatchNorm")
    return name if size is None or isinstance(size, int) else f"{name} {'x'.join(map(str, size))}"


def _sizes(extents: list[tuple[int, ...]]) -> list[tuple[float, float]]:
    """(width, height) of each block: of maps the height as the root of their sides, the width as the logarithm of their
    number; of vectors the height as the logarithm of their length."""
    largest = max([shape[0] for shape in extents if len(shape) == 3], default=1)
    deepest = max([shape[-1] for shape in extents if len(shape) == 3], default=1)
    longest = max([shape[-1] for shape in extents if len(shape) != 3], default=1)
    found = []
    for shape in extents:
        if len(shape) == 3:
            width = _THICK * math.log2(1 + shape[-1]) / math.log2(1 + deepest)
            found.append((max(width, 0.12), max(_TALL * math.sqrt(shape[0] / largest), 0.25)))
        else:
            height = _TALL * math.log2(1 + shape[-1]) / math.log2(1 + longest)
            found.append((0.16, max(height, 0.4)))
    return found


def _label(block: _Block) -> str:
    """The classes of a block's layers, repeated ones once with their number."""
    lines: list[list[Any]] = []
    for name in block.layers:
        if lines and lines[-1][0] == name:
            lines[-1][1] += 1
        else:
            lines.append([name, 1])
    if len(lines) > 3:
        lines = [*lines[:2], [f"+ {sum(count for _, count in lines[2:])} layers", 1]]
    return "\n".join(name if count == 1 else f"{count}x {name}" for name, count in lines)


def _in_rows(steps: list[float], most: float) -> list[list[int]]:
    rows: list[list[int]] = [[]]
    length = 0.0
    for i, step in enumerate(steps):
        if rows[-1] and length + step > most:
            rows.append([])
            length = 0.0
        rows[-1].append(i)
        length += step
    return rows


def _draw(
    axes: Any, block: _Block, label: str, at: tuple[float, float, float], size: tuple[float, float]
) -> None:
    """A block around the middle of its row, its size above and its layers below."""
    from matplotlib.patches import Polygon

    (x, middle, step), (w, h) = at, size
    back = (_SLANT[0] * h * 0.5, _SLANT[1] * h * 0.5) if len(block.shape) == 3 else (0.0, 0.0)
    left = x + (step - w - back[0]) / 2
    low, high = middle - h / 2, middle + h / 2
    dx, dy = back
    faces = {
        0: [(left, low), (left + w, low), (left + w, high), (left, high)],
        1: [(left, high), (left + w, high), (left + w + dx, high + dy), (left + dx, high + dy)],
        2: [
            (left + w, low),
            (left + w + dx, low + dy),
            (left + w + dx, high + dy),
            (left + w, high),
        ],
    }
    base = figures.COLORS[5] if len(block.shape) == 3 else figures.COLORS[4]
    for i, corners in faces.items():
        if i and not dx:
            continue
        axes.add_patch(
            Polygon(
                corners,
                facecolor=base,
                alpha=(0.9, 0.55, 0.7)[i],
                edgecolor=figures.INK,
                linewidth=0.7,
            )
        )
    words = "x".join(map(str, block.shape))
    axes.text(x + step / 2, high + dy + 0.12, words, ha="center", va="bottom", fontsize=7.5)
    axes.text(x + step / 2, low - 0.12, label, ha="center", va="top", fontsize=6)
