"""A model as a graph in the DOT language, which Graphviz draws; pictures of it need no Graphviz."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numba_cnn import files, nearest, settings
from numba_cnn.layers import Layer
from numba_cnn.models import Model, Sequential
from numba_cnn.plots import architecture
from numba_cnn.plots.architecture import Options

_TEXTS = "dot", "raw"
_FORMATS = settings.choice("svg", "png", *_TEXTS)
_ESCAPED = str.maketrans({character: f"\\{character}" for character in '\\"{}|<>'})


class Dot:
    """The graph as text, and as a picture, by the words of pydot's that scripts use.

    Its pictures are those of plot_model(): .svg takes nothing, .png the extra "plots".
    """

    def __init__(self, model: Any, options: Options, dpi: int, subgraph: bool) -> None:
        self._model, self._options, self._dpi, self._subgraph = model, options, dpi, subgraph

    def to_string(self) -> str:
        """The text in the DOT language."""
        text = _Text(self._options)
        text.cluster(self._model) if self._subgraph else text.whole(self._model, self._dpi)
        return "\n".join(text.lines) + "\n"

    def create(self, prog: Any = None, format: str = "svg", encoding: Any = None) -> bytes:
        """The bytes of a picture, "svg" or "png", or of the text, "dot"; no program is called."""
        return self._content("create", format)

    def write(
        self,
        path: str | os.PathLike[str],
        prog: Any = None,
        format: str | None = None,
        encoding: Any = None,
    ) -> bool:
        """Write what create() gives to a file, of a format that its ending names, or the text; True."""
        target = Path(settings.path("write", "path", path))
        ending = target.suffix[1:] if target.suffix in (".svg", ".png") else "dot"
        content = self._content("write", ending if format is None else format)
        with files.replacing(target) as file:
            file.write(content)
        return True

    def create_svg(self) -> bytes:
        return self.create(format="svg")

    def create_png(self) -> bytes:
        return self.create(format="png")

    def write_svg(self, path: str | os.PathLike[str]) -> bool:
        return self.write(path, format="svg")

    def write_png(self, path: str | os.PathLike[str]) -> bool:
        return self.write(path, format="png")

    def write_dot(self, path: str | os.PathLike[str]) -> bool:
        return self.write(path, format="dot")

    write_raw = write_dot

    def _content(self, op: str, format: Any) -> bytes:
        if _FORMATS(op, "format", format) in _TEXTS:
            return self.to_string().encode()
        return architecture.picture(
            "model_to_dot", f".{format}", self._model, self._options, self._dpi
        )

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.create().decode()

    def __str__(self) -> str:
        return self.to_string()


@nearest.keywords
def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """The model's graph, whose text Graphviz draws, and which draws itself: model_to_dot(m).create(format="svg").

    expand_nested    whether the layers of models inside have boxes, in a frame
    subgraph         whether the text is that of a frame in a graph

    The other settings are plot_model()'s. Raises ValueError for a model that is not built.
    """
    options, dots = architecture.checked(
        "model_to_dot", model, rankdir, splines, dpi,
        show_shapes=show_shapes, show_dtype=show_dtype, show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations, show_trainable=show_trainable,
        expand_nested=expand_nested,
    )  # fmt: skip
    return Dot(model, options, dots, settings.flag("model_to_dot", "subgraph", subgraph))


class _Text:
    """Lines of a graph; a layer's number is its node's name."""

    def __init__(self, options: Options) -> None:
        self._options, self.lines = options, list[str]()
        self._numbers: dict[int, int] = {}

    def whole(self, model: Any, dpi: int) -> None:
        self.lines += [
            "digraph {",
            f"graph [rankdir={self._options.rankdir}, dpi={dpi}, concentrate=true];",
            'node [shape=record, fontname="Helvetica"];',
        ]
        self._inside(model)
        self.lines.append("}")

    def cluster(self, model: Any) -> None:
        name = model.name.translate(_ESCAPED)
        self.lines.append(f'subgraph "cluster_{name}" {{')
        self.lines.append(f'graph [label="{name}", labeljust=l, style=dashed];')
        self._inside(model)
        self.lines.append("}")

    def _inside(self, model: Any) -> None:
        layers, edges = architecture.graph(model)
        for layer in layers:
            if self._opens(layer):
                self.cluster(layer)
            else:
                number = self._numbers.setdefault(id(layer), len(self._numbers))
                self.lines.append(f'{number} [label="{self._label(layer)}"];')
        for line in dict.fromkeys(self._edge(layers[a], layers[b]) for a, b in edges):
            self.lines.append(line)

    def _opens(self, layer: Layer) -> bool:
        return self._options.expand_nested and isinstance(layer, Model | Sequential)

    def _edge(self, source: Any, target: Any) -> str:
        """From the last box of a model inside, to its first one."""
        while self._opens(source):
            source = source._ends[0].node.layer
        while self._opens(target):
            target = architecture.graph(target)[0][0]
        return f"{self._numbers[id(source)]} -> {self._numbers[id(target)]};"

    def _label(self, layer: Layer) -> str:
        """The title of a layer's box, and below it what is shown, side by side."""
        rows = [
            [architecture.title(layer, self._options)],
            *architecture.rows(layer, self._options),
        ]
        cells = ("|".join(cell.translate(_ESCAPED) for cell in row) for row in rows)
        return "{" + "|".join(f"{{{row}}}" for row in cells) + "}"
