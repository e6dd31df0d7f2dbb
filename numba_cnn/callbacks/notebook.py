"""How the history of a training shows itself in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _EDGE = 220, 110, 8  # of a curve's picture


def history_html(history: Mapping[str, Sequence[float]]) -> str:
    """The curve of each value, validation dashed, and below it the last number; in the notebook's own colours."""
    names = [name for name in history if not name.startswith("val_") and len(history[name])]
    if not names:
        return "<p>no epochs yet</p>"
    epochs = max(len(history[name]) for name in names)
    pictures = "".join(
        _curve(name, history[name], history.get(f"val_{name}", ())) for name in names
    )
    plural = "" if epochs == 1 else "s"
    return f'<div>{epochs} epoch{plural}<div style="display:flex;flex-wrap:wrap;gap:1em">{pictures}</div></div>'


def _curve(name: str, training: Sequence[float], validation: Sequence[float]) -> str:
    numbers = [value for value in [*training, *validation] if math.isfinite(value)]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    last = f"{training[-1]:.4g}"
    lines = _line(training, low, high, "#0072b2", "")
    if len(validation):
        lines += _line(validation, low, high, "#d55e00", ' stroke-dasharray="5 3"')
        last += f", validation {validation[-1]:.4g} (dashed)"
    words = f"{escape(name)}: {last}"
    return (
        f'<figure style="margin:0"><svg role="img" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}"><title>{words}</title>{lines}</svg><figcaption>{words}<br>'
        f"from {low:.4g} to {high:.4g}</figcaption></figure>"
    )


def _line(values: Sequence[float], low: float, high: float, color: str, dashes: str) -> str:
    step = (_WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)
    scale = (_HEIGHT - 2 * _EDGE) / ((high - low) or 1)
    points = [
        (_EDGE + i * step, _HEIGHT - _EDGE - (value - low) * scale)
        for i, value in enumerate(values)
        if math.isfinite(value)
    ]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{color}"/>'
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>'
