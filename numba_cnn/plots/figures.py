"""What all figures share: Matplotlib, where it is installed, colours, and what is checked of a model and its images."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from numba_cnn import nearest
from numba_cnn.models import Model, Sequential
from numba_cnn.settings import array

Figure = Any  # of Matplotlib
P = ParamSpec("P")

INK = "#333333"  # of letters and lines; reports put the reader's own colour in its place
# Okabe and Ito's colours, which people tell apart whatever their eyes' pigments.
COLORS = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#b8a900"
MARKERS = "osD^vPX*"
SCALE = "cividis"  # its lightness says as much as its hue

_STYLE: Any = {
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.titlesize": 10.0, "axes.labelsize": 9.0, "xtick.labelsize": 8.0, "ytick.labelsize": 8.0, "font.size": 9.0,
    "legend.fontsize": 8.0, "axes.titleweight": "regular", "axes.spines.top": False, "axes.spines.right": False,
    "figure.titlesize": 11.0, "text.parse_math": False,
}  # fmt: skip


def figure(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that returns a figure: in one style, its arguments by name, an ImportError without Matplotlib."""
    explained = nearest.keywords(function)

    @wraps(function)
    def drawn(*arguments: P.args, **settings: P.kwargs) -> Figure:
        try:
            from matplotlib import rc_context
        except ImportError:
            raise ImportError(
                f'{function.__name__}: figures need Matplotlib: pip install "numba-cnn[plots]". '
                "Received: no module matplotlib"
            ) from None
        with rc_context(_STYLE):
            return explained(*arguments, **settings)

    return drawn


def new(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which no window waits for."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def grid(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    """A figure of so many pictures in rows, each of so many inches; the places left over are empty."""
    columns = max(min(columns, count), 1)
    rows = -(-count // columns)
    made = new(max(columns * width, 3.2), rows * height)
    axes = list(np.ravel(made.subplots(rows, columns, squeeze=False)))
    for one in axes:
        one.set_axis_off()
    return made, axes[:count]


def check_model(op: str, model: Any) -> Any:
    """The model, known to be one and built."""
    if not isinstance(model, Model | Sequential):
        raise TypeError(f"{op}: model must be a model. Received: {nearest.shown(model)}")
    if not model.built:
        raise ValueError(f"{op}: build the model first. Received: unbuilt {model.name}")
    return model


def check_images(op: str, model: Any, x: Any, name: str = "x") -> np.ndarray:
    """Images (N, H, W, C) that the model takes; one image alone gets the axis that it lacks."""
    check_model(op, model)
    shape = model.input_shape
    if isinstance(shape, list) or len(shape) != 4:
        raise ValueError(f"{op}: model must take images (N, H, W, C). Received: inputs {shape}")
    images = array(x)
    if images.dtype.kind not in "fiub" or not images.ndim:
        raise TypeError(f"{op}: {name} must be an array of images. Received: {nearest.shown(x)}")
    images = images[None] if images.ndim == 3 else images
    fits = images.ndim == 4 and all(
        m in (None, n) for n, m in zip(images.shape[1:], shape[1:], strict=True)
    )
    if not fits or not len(images):
        expected = ", ".join(map(str, ("N", *shape[1:])))
        raise ValueError(
            f"{op}: {name} must be images ({expected}), or one of them. Received: {nearest.shown(x)}"
        )
    return images


def visible(image: np.ndarray) -> np.ndarray:
    """An image as what is drawn: (H, W, 3) in 0..1, grey or in colour; of other numbers of channels their mean."""
    values: Any = np.asarray(image, np.float32)
    values = values if values.shape[-1] == 3 else values[..., :3].mean(-1, keepdims=True)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 255:  # no colours: from the least to the greatest
        values = (values - low) / max(high - low, 1e-12)
    elif high > 1:
        values = values / 255
    return np.broadcast_to(values, (*values.shape[:2], 3))


def short(text: str, most: int) -> str:
    """The text, or its beginning where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
