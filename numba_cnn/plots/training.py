"""How training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.plots import figures
from numba_cnn.plots.figures import Figure, figure
from numba_cnn.settings import array


@figure
def curves(history: Any) -> Figure:
    """The loss, and each metric, over the epochs; where there is validation, it is the dashed line.

    history    what fit() returns, a model that was fit, or a dict of lists by name

    Raises ValueError for what has no epochs.
    """
    values = _values(history)
    names = [name for name in values if not name.startswith("val_")]
    names = sorted(names, key=lambda name: (name != "loss", name == "learning_rate", name))
    made = figures.new(3.4 * min(len(names), 3), 2.7 * -(-len(names) // 3))
    axes = np.ravel(made.subplots(-(-len(names) // 3), min(len(names), 3), squeeze=False))
    for one in axes[len(names) :]:
        one.set_axis_off()
    for name, one in zip(names, axes, strict=False):
        _curve(one, values[name], "training", figures.COLORS[0], "-", "o")
        if f"val_{name}" in values:
            _curve(one, values[f"val_{name}"], "validation", figures.COLORS[1], "--", "s")
            one.legend(frameon=False)
        one.set_title(name.replace("_", " "), loc="left")
        one.set_xlabel("epoch")
        one.grid(alpha=0.25)
        one.xaxis.get_major_locator().set_params(integer=True)
    return made


def _curve(axes: Any, values: np.ndarray, label: str, color: str, line: str, marker: str) -> None:
    epochs = range(1, len(values) + 1)
    marker = marker if len(values) <= 30 else ""
    axes.plot(epochs, values, line, color=color, label=label, marker=marker, markersize=3.5)


def _values(history: Any) -> dict[str, np.ndarray]:
    """Arrays of numbers by name, of a model, a History or a dict."""
    found = history
    for _ in range(2):
        found = getattr(found, "history", found)
    if not isinstance(found, Mapping):
        raise TypeError(
            f"curves: history must be what fit() returns, or a dict. Received: {nearest.shown(history)}"
        )
    values = {str(name): array(values) for name, values in found.items()}
    for name, one in values.items():
        if one.ndim != 1 or one.dtype.kind not in "fiub":
            raise ValueError(
                f"curves: history must have a number for each epoch. Received: {name} {nearest.shown(found[name])}"
            )
    values = {name: one for name, one in values.items() if len(one)}
    if not any(not name.startswith("val_") for name in values):
        raise ValueError("curves: history must have at least one epoch. Received: none")
    return values
