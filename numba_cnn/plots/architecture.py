"""A model as a picture: a box for each layer, an arrow for each of its inputs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from numba_cnn import files, nearest, settings
from numba_cnn.layers import Layer
from numba_cnn.models import Model, Sequential
from numba_cnn.plots import drawing
from numba_cnn.plots.drawing import Box, Line, Shape, Words
from numba_cnn.plots.layout import Point, layout

_TITLE, _TEXT = 14.0, 12.0  # sizes of letters
_ROW, _SIDE = 28.0, 12.0  # the height of a row of words, and what lies beside them
_TRAINABLE, _FROZEN = "Trainable", "Non-trainable"
_COLORS = {
    _TRAINABLE: ("#228b22", "white"),
    _FROZEN: ("#b22222", "white"),
}  # of a box and its letters
_ENDINGS = ".svg", ".png"


class Options(NamedTuple):
    """What is shown of a layer, and which way the rows run."""

    rankdir: str
    show_shapes: bool
    show_dtype: bool
    show_layer_names: bool
    show_layer_activations: bool
    show_trainable: bool
    expand_nested: bool


class _Picture(NamedTuple):
    shapes: list[Shape]
    width: float
    height: float

    def at(self, left: float, top: float) -> list[Shape]:
        return [_moved(shape, left, top) for shape in self.shapes]


@nearest.keywords
def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> None:
    """Write a picture of the model: a box for each layer, an arrow for each input, past the boxes between.

    to_file                   its path: .svg, which needs nothing, or .png, which Matplotlib writes (the extra "plots")
    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable    what boxes say beside the class
    rankdir                   where it runs to: "TB" from the top to the bottom, "BT", "LR", "RL"
    expand_nested             whether the layers of models inside are drawn, too
    splines                   is taken as Keras has it; arrows are curves that run straight past boxes
    dpi                       of a .png: pixels to an inch, of which 72 points of letters are one

    Raises ValueError for a model that is not built and for another ending, ImportError for a .png without Matplotlib.
    """
    target = Path(settings.path("plot_model", "to_file", to_file))
    if target.suffix not in _ENDINGS:
        raise ValueError(
            f"plot_model: to_file must end in .svg or .png. Received: {nearest.shown(to_file)}"
        )
    options, dots = checked(
        "plot_model", model, rankdir, splines, dpi,
        show_shapes=show_shapes, show_dtype=show_dtype, show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations, show_trainable=show_trainable,
        expand_nested=expand_nested,
    )  # fmt: skip
    content = picture("plot_model", target.suffix, model, options, dots)
    with files.replacing(target) as file:
        file.write(content)


def checked(
    op: str, model: Any, rankdir: Any, splines: Any, dpi: Any, **flags: Any
) -> tuple[Options, int]:
    """What is shown of a built model, and the dots of an inch; ValueError or TypeError for what cannot be drawn."""
    direction = settings.choice("TB", "BT", "LR", "RL")(op, "rankdir", rankdir)
    settings.text(op, "splines", splines)
    dots = settings.integer(1)(op, "dpi", dpi)
    flags = {name: settings.flag(op, name, value) for name, value in flags.items()}
    if not isinstance(model, Model | Sequential):
        raise TypeError(f"{op}: model must be a model. Received: {nearest.shown(model)}")
    if not model.built:
        raise ValueError(f"{op}: build the model first. Received: unbuilt {model.name}")
    return Options(direction, **flags), dots


def picture(op: str, ending: str, model: Any, options: Options, dots: int) -> bytes:
    """The content of a file of that ending, .svg or .png."""
    found = _of_model(model, options)
    return drawing.svg(*found) if ending == ".svg" else drawing.png(op, *found, dots)


def _of_model(model: Any, options: Options) -> _Picture:
    """The boxes of a model's layers where they go, and the arrows."""
    layers, edges = graph(model)
    pictures = [_of_layer(layer, options) for layer in layers]
    across = options.rankdir in ("LR", "RL")
    sizes = [(p.height, p.width) if across else (p.width, p.height) for p in pictures]
    found = layout(sizes, edges)
    width, height = (found.height, found.width) if across else (found.width, found.height)

    def placed(point: Point) -> Point:
        x, y = point[::-1] if across else point
        backwards = options.rankdir in ("RL", "BT")
        return (
            width - x if backwards and across else x,
            height - y if backwards and not across else y,
        )

    shapes: list[Shape] = [Line([*map(placed, line)], across) for line in found.edges]
    for picture, middle in zip(pictures, map(placed, found.boxes), strict=True):
        shapes += picture.at(middle[0] - picture.width / 2, middle[1] - picture.height / 2)
    return _Picture(shapes, width, height)


def graph(model: Any) -> tuple[list[Layer], list[tuple[int, int]]]:
    """The layers to draw, and for each input of one which gives it to which; the input of a Sequential is not drawn."""
    drawn: dict[int, Layer] = {}
    edges: list[tuple[int, int]] = []
    places: dict[int, int] = {}
    for call in model._calls:
        if not call.inputs and isinstance(model, Sequential):
            continue
        place = places.setdefault(id(call.layer), len(places))
        drawn[place] = call.layer
        edges += [
            (places[id(below.node.layer)], place)
            for below in call.inputs
            if id(below.node.layer) in places
        ]
    return list(drawn.values()), edges


def title(layer: Layer, options: Options) -> str:
    return f"{layer.name} ({layer.class_name})" if options.show_layer_names else layer.class_name


def rows(layer: Layer, options: Options) -> list[list[str]]:
    """What is said of a layer below its title."""
    activation = getattr(layer, "activation", None)
    said = []
    if options.show_layer_activations and activation is not None:
        said = [[f"Activation: {activation.name}"]]
    cells = []
    if options.show_shapes:
        if layer.class_name != "InputLayer":
            cells.append(f"Input shape: {_shape(layer.input_shape)}")
        cells += [f"Output shape: {_shape(layer.output_shape)}"]
    if options.show_dtype:
        cells.append("Output dtype: float32")
    if options.show_trainable and layer.weights:
        cells.append(_TRAINABLE if layer.trainable else _FROZEN)
    return [*said, cells] if cells else said


def _of_layer(layer: Layer, options: Options) -> _Picture:
    """The box of a layer: its class in white on black, and below what is shown of it."""
    if options.expand_nested and isinstance(layer, Model | Sequential):
        return _framed(title(layer, options), _of_model(layer, options))
    said = [
        [(text, *_COLORS.get(text, ("white", "#000000"))) for text in row]
        for row in rows(layer, options)
    ]
    return _table(title(layer, options), said)


def _shape(shape: Any) -> str:
    if isinstance(shape, list):
        return f"[{', '.join(map(_shape, shape))}]"
    return f"({', '.join(map(str, shape))})" if shape is not None else "?"


def _table(title: str, rows: Sequence[Sequence[tuple[str, str, str]]]) -> _Picture:
    """A title, and rows of cells: texts, and the colours of cells and letters."""
    wide = [[drawing.text_width(cell[0], _TEXT) + 2 * _SIDE for cell in row] for row in rows]
    width = max([drawing.text_width(title, _TITLE) + 2 * _SIDE, *map(sum, wide)])
    shapes: list[Shape] = [
        Box(0, 0, width, _ROW, "#000000", "#000000"),
        Words(width / 2, _ROW / 2, title, _TITLE, "#ffffff", bold=True),
    ]
    for i, (row, widths) in enumerate(zip(rows, wide, strict=True), 1):
        more, x = (width - sum(widths)) / len(row), 0.0
        for (text, fill, color), cell_width in zip(row, widths, strict=True):
            shapes.append(Box(x, i * _ROW, cell_width + more, _ROW, fill))
            shapes.append(Words(x + (cell_width + more) / 2, (i + 0.5) * _ROW, text, _TEXT, color))
            x += cell_width + more
    return _Picture(shapes, width, (len(rows) + 1) * _ROW)


def _framed(title: str, inner: _Picture) -> _Picture:
    """A model inside: its picture below its name, in a frame."""
    width = max(inner.width, drawing.text_width(title, _TITLE)) + 2 * _SIDE
    height = inner.height + _ROW + 2 * _SIDE
    frame: list[Shape] = [
        Box(0, 0, width, height, "#f2f2f2"),
        Words(width / 2, _ROW / 2, title, _TITLE, bold=True),
    ]
    return _Picture([*frame, *inner.at((width - inner.width) / 2, _ROW + _SIDE / 2)], width, height)


def _moved(shape: Shape, left: float, top: float) -> Shape:
    if isinstance(shape, Line):
        return shape._replace(points=[(x + left, y + top) for x, y in shape.points])
    return shape._replace(x=shape.x + left, y=shape.y + top)
