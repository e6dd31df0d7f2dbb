"""How a model shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from numba_cnn.models.summary import readable_size

if TYPE_CHECKING:
    from numba_cnn.models.files import Saved

_OPEN = 24  # layers up to which the table is open
_BYTES = 4  # of a float32


def model_html(model: Saved) -> str:
    """A table of the layers, what they give and how many weights they have, in the notebook's own colours."""
    rows = "".join(_row(layer) for layer in model.layers)
    count = sum(parameter.size for parameter in model.weights)
    what = f"{escape(model.name)} ({escape(model.class_name)})"
    said = f"{len(model.layers)} layers, {count:,} weights, {readable_size(count * _BYTES)}"
    shown = " open" if len(model.layers) <= _OPEN else ""
    return (
        f"<details{shown}><summary><b>{what}</b>: {said}</summary><table><thead><tr>"
        '<th style="text-align:left">layer</th><th style="text-align:left">class</th>'
        '<th style="text-align:left">gives</th><th style="text-align:right">weights</th><th>trained</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )


def _row(layer: Any) -> str:
    shape = layer.output_shape
    built = shape is not None
    count = f"{layer.count_params():,}" if built else "not built"
    trained = "" if not layer.weights else "yes" if layer.trainable else "no"
    cells = [
        (layer.name, "left"),
        (layer.class_name, "left"),
        (_shape(shape), "left"),
        (count, "right"),
    ]
    shown = "".join(f'<td style="text-align:{side}">{escape(text)}</td>' for text, side in cells)
    return f"<tr>{shown}<td>{trained}</td></tr>"


def _shape(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, list):
        return ", ".join(map(_shape, shape))
    return " x ".join("any" if n is None else str(n) for n in shape[1:]) or "a number"
