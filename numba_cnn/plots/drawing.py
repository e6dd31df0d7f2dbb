"""Boxes, lines and words, written as SVG, or as PNG by Matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from numba_cnn.plots.layout import Point

_FONT = "Helvetica, Arial, DejaVu Sans, sans-serif"
_INK = "#222222"
_MARGIN = 16.0
_POINTS = 72.0  # to an inch
_HEAD = 7.0  # how long an arrow's head is
_BEND = 0.45  # of the way between two rows, where a line bends


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    fill: str
    line: str = _INK


class Words(NamedTuple):
    """A text around a point."""

    x: float
    y: float
    text: str
    size: float
    color: str = "#000000"
    bold: bool = False


class Line(NamedTuple):
    """An arrow through points, from row to row; `across` where rows stand beside one another."""

    points: Sequence[Point]
    across: bool = False


Shape = Box | Words | Line


def text_width(text: str, size: float) -> float:
    """How wide a text is at most, in the fonts that it is set in."""
    wide = sum(character.isupper() or character in "mw_@%" for character in text)
    return size * (0.58 * (len(text) - wide) + 0.78 * wide)


def svg(shapes: Sequence[Shape], width: float, height: float) -> bytes:
    """The picture as an .svg."""
    w, h = width + 2 * _MARGIN, height + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.1f}" height="{h:.1f}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {w:.1f} {h:.1f}" font-family="{_FONT}">',
        f'<rect x="{-_MARGIN}" y="{-_MARGIN}" width="{w:.1f}" height="{h:.1f}" fill="white"/>',
        *map(_svg, shapes),
        "</svg>\n",
    ]
    return "\n".join(parts).encode()


def _svg(shape: Shape) -> str:
    if isinstance(shape, Box):
        return (
            f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" '
            f'height="{shape.height:.1f}" fill="{shape.fill}" stroke="{shape.line}"/>'
        )
    if isinstance(shape, Words):
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" fill="{shape.color}" '
            f'font-weight="{"bold" if shape.bold else "normal"}" text-anchor="middle" '
            f'dominant-baseline="central">{escape(shape.text)}</text>'
        )
    path = " ".join(
        f"{letter}{' '.join(f'{x:.1f},{y:.1f}' for x, y in points)}"
        for letter, points in _curve(shape)
    )
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in _head(shape))
    return (
        f'<path d="{path}" fill="none" stroke="{_INK}"/><polygon points="{corners}" fill="{_INK}"/>'
    )


def _curve(line: Line) -> list[tuple[str, list[Point]]]:
    """Straight where a line passes a row, bent between rows; it ends where its head begins."""
    *points, (x, y) = line.points
    _, (left, top), _ = _head(line)
    points.append((left, y) if line.across else (x, top))
    found: list[tuple[str, list[Point]]] = [("M", [points[0]])]
    for (x0, y0), (x1, y1) in pairwise(points):
        if line.across:
            bend = (x1 - x0) * _BEND
            found.append(("C", [(x0 + bend, y0), (x1 - bend, y1), (x1, y1)]))
        else:
            bend = (y1 - y0) * _BEND
            found.append(("C", [(x0, y0 + bend), (x1, y1 - bend), (x1, y1)]))
    return found


def _head(line: Line) -> list[Point]:
    """The tip of the arrow, and the two corners behind it."""
    (x0, y0), (x, y) = line.points[-2:]
    if line.across:
        back = x - _HEAD if x >= x0 else x + _HEAD
        return [(x, y), (back, y - _HEAD / 2), (back, y + _HEAD / 2)]
    back = y - _HEAD if y >= y0 else y + _HEAD
    return [(x, y), (x - _HEAD / 2, back), (x + _HEAD / 2, back)]


def png(op: str, shapes: Sequence[Shape], width: float, height: float, dpi: float) -> bytes:
    """The picture as a .png, by Matplotlib; ImportError that names the extra where there is none."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            f'{op}: a .png needs Matplotlib: pip install "numba-cnn[plots]"; a .svg needs nothing. Received: .png'
        ) from None
    w, h = width + 2 * _MARGIN, height + 2 * _MARGIN
    figure = Figure(figsize=(w / _POINTS, h / _POINTS), dpi=dpi)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-_MARGIN, width + _MARGIN), ylim=(height + _MARGIN, -_MARGIN))
    axes.axis("off")
    for shape in shapes:
        _paint(axes, shape)
    content = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)  # untyped where Matplotlib is
    canvas.print_png(content)
    return content.getvalue()


def _paint(axes: Any, shape: Shape) -> None:
    from matplotlib import patches
    from matplotlib.path import Path as Curve

    if isinstance(shape, Box):
        corner = shape.x, shape.y
        axes.add_patch(
            patches.Rectangle(
                corner, shape.width, shape.height, facecolor=shape.fill, edgecolor=shape.line
            )
        )
    elif isinstance(shape, Words):
        axes.text(
            shape.x, shape.y, shape.text, fontsize=0.92 * shape.size, color=shape.color, ha="center", va="center",
            fontweight="bold" if shape.bold else "normal", parse_math=False,
        )  # fmt: skip
    else:
        codes = {"M": Curve.MOVETO, "L": Curve.LINETO, "C": Curve.CURVE4}
        curve = _curve(shape)
        points = [point for _, at in curve for point in at]
        kinds = [codes[letter] for letter, at in curve for _ in at]
        axes.add_patch(patches.PathPatch(Curve(points, kinds), fill=False, edgecolor=_INK))
        axes.add_patch(patches.Polygon(_head(shape), facecolor=_INK))
