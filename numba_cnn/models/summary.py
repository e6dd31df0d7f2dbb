"""The table that summary() prints, the same text as Keras's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from numba_cnn import shapes
from numba_cnn.layers import Layer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from numba_cnn.models.files import Saved

_LINE_LENGTH = 88  # characters, 12 more with the column of show_trainable
_BYTES = 4  # of a float32
Connections = dict[
    str, list[tuple[str, int, int]]
]  # layer: (layer, which of its calls, which output)


def print_summary(
    model: Saved,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], object] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of the layers and the numbers of parameters; print_fn gets the text at once.

    positions    where the columns end, as shares of the line length: (0.45, 0.80, 1.0)
    layer_range  two names, or patterns of names: the first and the last layer to show
    """
    from rich.console import Console

    if line_length is not None:
        shapes.count("summary", "line_length", line_length)
    _check_list("positions", positions, "numbers", int | float)
    if positions is not None and not all(0 < end <= 1 for end in positions):
        raise ValueError(
            f"summary: positions must be shares of the line, above 0 and up to 1. Received: {positions}"
        )
    _check_list("layer_range", layer_range, "names", str)
    rows = _listed(_chosen(model.layers, layer_range), expand_nested)
    if model.is_composed:
        rows = [(before, layer, known and _says_its_shape(layer)) for before, layer, known in rows]
    table = _table(rows, model.connections(), line_length, positions, show_trainable)
    if print_fn is None:
        _render(Console(highlight=False), model, table)
        return
    console = Console(highlight=False, force_terminal=False, color_system=None)
    with console.capture() as captured:
        _render(console, model, table)
    print_fn(captured.get())


def _listed(
    layers: Sequence[Layer], expand_nested: bool, level: int = 0
) -> list[tuple[str, Layer, bool]]:
    """The layers to show, those of models inside below these; what stands before each, whether its shape is known."""
    before = "   " * level + "└ " if level else ""
    rows = []
    for layer in layers:
        inner = layer.inner_layers if expand_nested and not layer.is_composed else []
        rows += [
            (before, layer, layer.output_shape is not None),
            *_listed(inner, expand_nested, level + 1),
        ]
    return rows


def _check_list(name: str, value: Any, what: str, kind: Any) -> None:
    if value is None:
        return
    if not isinstance(value, list | tuple) or not all(isinstance(item, kind) for item in value):
        raise ValueError(f"summary: {name} must be a list of {what}. Received: {value!r:.80}")


def _render(console: Console, model: Saved, table: Table) -> None:
    from rich.markup import escape

    console.print(f'[bold]Model: "{escape(model.name)}"[/]')
    console.print(table)
    trainable = sum(parameter.size for parameter in model.trainable_weights)
    fixed = sum(parameter.size for parameter in model.non_trainable_weights)
    state = model.optimizer.count_params() if model.optimizer and model.optimizer.built else 0
    counts = {
        "Total": trainable + fixed + state,
        "Trainable": trainable,
        "Non-trainable": fixed,
        "Optimizer": state,
    }
    for name, count in counts.items():
        if name != "Optimizer" or state:
            size = readable_size(count * _BYTES)
            console.print(f"[bold] {name} params: [/][color(34)]{count:,}[/] ({size})")


def _table(
    rows: Sequence[tuple[str, Layer, bool]],
    connections: Connections | None,
    line_length: int | None,
    positions: Sequence[float] | None,
    show_trainable: bool,
) -> Table:
    from rich.table import Column, Table

    headers: list[tuple[str, str]] = [
        ("Layer (type)", "left"),
        ("Output Shape", "left"),
        ("Param #", "right"),
    ]
    ends, longest = list(positions or (0.45, 0.80, 1.0)), _LINE_LENGTH
    if connections is not None:
        ends, longest = list(positions or (0.3, 0.56, 0.74, 1.0)), _LINE_LENGTH + 20
        headers.append(("Connected to", "left"))
    if show_trainable:
        ends = [0.9 * end for end in ends] + [1.0]
        headers.append(("Trainable", "center"))
        longest += 12
    width = line_length or min(longest, shutil.get_terminal_size().columns - 4)
    widths = [end - start for start, end in pairwise([0, *(int(end * width) for end in ends)])]
    if min(widths) < 4:
        raise ValueError(f"summary: the line is too short for its columns. Received: {width}")
    columns = [
        Column(header, justify=justify, width=column_width)  # type: ignore[arg-type]
        for (header, justify), column_width in zip(headers, widths, strict=True)
    ]
    table = Table(*columns, width=width, show_lines=True)
    for before, layer, known in rows:
        table.add_row(*_row(before, layer, known, connections, show_trainable))
    return table


def _row(
    before: str, layer: Layer, known: bool, connections: Connections | None, show_trainable: bool
) -> list[str]:
    from rich.markup import escape

    row = [f"{before}{escape(layer.name)} ([color(33)]{layer.class_name}[/])"]
    unbuilt = layer.output_shape is None
    count = 0 if unbuilt else layer.count_params()
    said = " (unbuilt)" if unbuilt and layer.shows_unbuilt else ""
    row += [_shapes(layer) if known else "?", f"[color(34)]{count:,}[/]{said}"]
    if connections is not None:
        places = [
            f"{escape(name)}[[color(34)]{call}[/]][[color(34)]{output}[/]]"
            for name, call, output in (() if before else connections[layer.name])
        ]
        row.append(", ".join(places) or "-")
    if show_trainable:
        yes_or_no = "[color(34)]Y[/]" if layer.trainable else "[color(9)]N[/]"
        row.append(f"[bold]{yes_or_no if layer.weights else '-'}[/]")
    return row


def _says_its_shape(layer: Layer) -> bool:
    """Whether Keras knows what a layer of a subclassed model gives: one that has something to build, and a rule."""
    return layer.shows_unbuilt and not layer.is_composed


def _shapes(layer: Layer) -> str:
    """The shape of what the layer gave when it was called last, or a list of them."""
    shapes = [tensor.shape for tensor in layer._nodes[-1].outputs] if layer._nodes else None
    if shapes is None:
        shapes = (
            layer.output_shape if isinstance(layer.output_shape, list) else [layer.output_shape]
        )
    shown = [
        f"({', '.join(f'[color({45 if n is None else 34})]{n}[/]' for n in shape)})"
        for shape in shapes
    ]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _chosen(layers: Sequence[Layer], layer_range: Sequence[str] | None) -> Sequence[Layer]:
    """The layers from the first match of the first pattern to the last match of the second."""
    if layer_range is None:
        return layers
    if len(layer_range) != 2:
        raise ValueError(f"summary: layer_range must hold two names. Received: {layer_range}")
    first, last = (
        [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)]
        for pattern in layer_range
    )
    if not first or not last:
        raise ValueError(f"summary: no layer has such a name. Received: {layer_range}")
    return layers[first[0] : last[-1] + 1]


def readable_size(size: float) -> str:
    """2.47 MB for 2587432 bytes; a KB has 1024."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"
