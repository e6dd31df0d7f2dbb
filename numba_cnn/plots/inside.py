"""What a model has learned and what it makes of an image: filters, maps, places in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import classification, shapes
from numba_cnn.plots import figures
from numba_cnn.plots.figures import MARKERS, Figure, figure

_BATCH = 32  # samples whose layers' arrays are there at a time


@figure
def filters(model: Any, layer: Any = None, count: int = 64) -> Figure:
    """The filters of a convolution as images: in colour where they have three channels, else their channels' mean.

    layer    a layer of two-dimensional filters, or its name; None: the first
    count    how many at most
    """
    op = "filters"
    figures.check_model(op, model)
    most = shapes.count(op, "count", count)
    chosen = model._leaf(op, layer) if layer is not None else _first_convolution(op, model)
    kernel = _kernel(chosen)
    if kernel is None:
        raise ValueError(
            f"{op}: layer must have filters (KH, KW, C, F). Received: {chosen.name} ({chosen.class_name})"
        )
    KH, KW, C, F = kernel.shape
    shown = kernel if C == 3 else kernel.mean(2, keepdims=True)
    largest = max(float(np.abs(shown).max()), 1e-12)
    made, axes = figures.grid(min(F, most), 16 if F > 16 else 8, 0.62, 0.62)
    for i, one in enumerate(axes):
        weights = shown[..., i] / largest
        if C == 3:
            one.imshow((weights + 1) / 2, interpolation="nearest")
        else:
            one.imshow(weights[..., 0], cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    said = (
        "grey is 0"
        if C == 3
        else f"mean of {C} channels, black below 0, white above"
        if C > 1
        else "grey is 0"
    )
    made.suptitle(f"{chosen.name}: {KH}x{KW} filters, {min(F, most)} of {F}\n{said}", fontsize=8)
    return made


def _first_convolution(op: str, model: Any) -> Any:
    for leaf in model._leaves():
        if _kernel(leaf) is not None:
            return leaf
    raise ValueError(
        f"{op}: model must have a layer with filters (KH, KW, C, F). Received: {model}"
    )


def _kernel(layer: Any) -> np.ndarray | None:
    """The filters (KH, KW, C, F) of a layer, or None."""
    for parameter in layer.weights:
        if len(parameter.shape) == 4:
            return np.asarray(parameter.numpy())
    return None


@figure
def feature_maps(model: Any, image: Any, count: int = 8) -> Figure:
    """What an image becomes after every layer that gives maps, each of its maps from its least to its greatest number.

    image    (H, W, C), or (1, H, W, C)
    count    how many maps of a layer at most, those that differ most from place to place first
    """
    op = "feature_maps"
    most = shapes.count(op, "count", count)
    images = figures.check_images(op, model, image, "image")[:1]
    rows = _rows(model._values_of_layers(images))
    made = figures.new(0.85 * (most + 1.9), 0.85 * (len(rows) + 1))
    axes = made.subplots(len(rows) + 1, most + 1, squeeze=False, width_ratios=[1.9, *[1] * most])
    for one in axes.flat:
        one.set_axis_off()
    axes[0, 0].text(0, 0.5, _named("image", images.shape), va="center", fontsize=7)
    axes[0, 1].imshow(figures.visible(images[0]), interpolation="nearest")
    for (name, maps), row in zip(rows, axes[1:], strict=True):
        row[0].text(0, 0.5, _named(name, maps.shape), va="center", fontsize=7)
        order = np.argsort(-maps[0].std((0, 1)), kind="stable")[:most]
        for channel, one in zip(order, row[1:], strict=False):
            one.imshow(maps[0, ..., channel], cmap="viridis", interpolation="nearest")
    return made


def _named(name: str, shape: tuple[int, ...]) -> str:
    return f"{figures.short(name, 22)}\n{'x'.join(map(str, shape[1:]))}"


def _rows(values: list[tuple[Any, np.ndarray]]) -> list[tuple[str, np.ndarray]]:
    """The maps after each layer, but for layers that changed nothing, and no more than 12, evenly chosen."""
    found: list[tuple[str, np.ndarray]] = []
    for layer, value in values:
        if value.ndim != 4 or value.shape[1] * value.shape[2] < 2:
            continue
        if found and found[-1][1].shape == value.shape and np.array_equal(found[-1][1], value):
            continue
        found.append((layer.name, value))
    kept = np.unique(np.linspace(0, len(found) - 1, min(len(found), 12)).round().astype(int))
    return [found[i] for i in kept]


@figure
def embeddings(model: Any, x: Any, y: Any, layer: Any = None) -> Figure:
    """Samples in the plane, those near to one another that the model finds alike: the two principal components of what
    the layer below the last one gives.

    x, y     samples (N, ...), and the number of the class of each (N,), or one-hot
    layer    whose output is shown, or its name; None: what the last layer with weights reads
    """
    op = "embeddings"
    figures.check_model(op, model)
    outputs = classification.as_shares(op, model.predict(x, verbose=0))
    labels = classification.as_labels(op, y, *outputs.shape)
    names = classification.class_names(model.class_names, outputs.shape[1])
    points = _features(op, model, x, layer)
    places, shares = _principal(points)
    made = figures.new(6.2, 4.2)
    axes = made.subplots()
    for label in np.unique(labels):
        mine = places[labels == label]
        color = figures.COLORS[label % len(figures.COLORS)]
        marker = MARKERS[label // len(figures.COLORS) + label % len(MARKERS) - len(MARKERS)]
        axes.scatter(
            *mine.T, s=18, c=color, marker=marker, alpha=0.75, linewidths=0, label=names[label]
        )
    axes.set(
        xlabel=f"component 1 ({shares[0]:.0%} of the variance)",
        ylabel=f"component 2 ({shares[1]:.0%})",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    made.legend(loc="outside right upper", frameon=False)
    return made


def _features(op: str, model: Any, x: Any, layer: Any) -> np.ndarray:
    """What a layer gives of each sample, as rows; batch by batch, since all layers' arrays are there at once."""
    place = None if layer is None else model._leaf(op, layer)
    rows = []
    for start in range(0, len(x), _BATCH):
        values = model._values_of_layers(x[start : start + _BATCH])
        if place is None:
            weighted = [i for i, (one, _) in enumerate(values) if one.weights]
            index = max((weighted or [len(values)])[-1] - 1, 0)
            place = values[index][0]
        (*_, value) = (array for one, array in values if one is place)
        rows.append(value.reshape(len(value), -1))
    return np.concatenate(rows)


def _principal(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows on their two principal components (N, 2), and the share of the variance that each has."""
    centred = points.astype(np.float64) - points.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(points), 2))
    shares = np.zeros(2)
    count = min(2, len(s))
    signs = np.where(np.abs(u[:, :count].min(0)) > u[:, :count].max(0), -1, 1)
    places[:, :count] = u[:, :count] * s[:count] * signs
    shares[:count] = s[:count] ** 2 / max((s**2).sum(), 1e-300)
    return places, shares
