"""What a classifier takes for what."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import classification, shapes
from numba_cnn.classification import Classification
from numba_cnn.plots import figures
from numba_cnn.plots.figures import Figure, figure

_MOST = 20  # classes up to which every number is written into its cell


@figure
def confusion_matrix(model: Any, x: Any, y: Any) -> Figure:
    """How many samples of each class, a row, the model calls what, a column; colours are shares of the row.

    model    a classifier, (N, classes) or, of two classes, (N, 1)
    x, y     samples (N, ...), and the number of the class of each (N,), or one-hot (N, classes)
    """
    op = "confusion_matrix"
    shares = figures.check_model(op, model).predict(x, verbose=0)
    return matrix(classification.classified(op, shares, y, model.class_names))


def matrix(found: Classification) -> Figure:
    """The picture of counts."""
    classes = len(found.names)
    side = min(max(0.42 * classes, 2.2), 9.0)
    longest = max(map(len, (figures.short(name, 22) for name in found.names)))
    made = figures.new(side + 1.3 + 0.07 * longest, side + 0.6 + 0.07 * longest)
    axes = made.subplots()
    shares = found.matrix / np.maximum(found.support[:, None], 1)
    shown = axes.imshow(shares, cmap=figures.SCALE, vmin=0, vmax=1)
    made.colorbar(shown, ax=axes, label="share of the true class", shrink=0.8)
    labels = [figures.short(name, 22) for name in found.names]
    step = -(-classes // 40)
    places = np.arange(0, classes, step)
    axes.set_xticks(places, labels[::step], rotation=90 if longest > 2 else 0)
    axes.set_yticks(places, labels[::step])
    axes.set(xlabel="called", ylabel="true class")
    axes.spines[:].set_visible(False)
    for i, j in np.argwhere(found.matrix) if classes <= _MOST else ():
        color = "#000000" if shares[i, j] > 0.5 else "#ffffff"
        axes.text(j, i, int(found.matrix[i, j]), ha="center", va="center", color=color, fontsize=8)
    return made


@figure
def mistakes(model: Any, x: Any, y: Any, count: int = 12) -> Figure:
    """The images that the model is surest of and wrong about: what it says, how sure it is, and what it is.

    x, y     images (N, H, W, C), and the number of the class of each, or one-hot
    count    how many at most
    """
    op = "mistakes"
    most = shapes.count(op, "count", count)
    images = figures.check_images(op, model, x)
    shares = classification.as_shares(op, model.predict(images, verbose=0))
    labels = classification.as_labels(op, y, *shares.shape)
    names = classification.class_names(model.class_names, shares.shape[1])
    wrong = classification.worst(shares, labels, most)
    if not len(wrong):
        made = figures.new(3, 1)
        made.text(0.5, 0.5, f"none of {len(images)} is wrong", ha="center", va="center")
        return made
    made, axes = figures.grid(len(wrong), 6, 1.5, 1.95)
    for place, one in zip(wrong, axes, strict=True):
        said = int(shares[place].argmax())
        one.imshow(figures.visible(images[place]), interpolation="nearest")
        words = f"{figures.short(names[said], 14)} {shares[place, said]:.0%}"
        one.set_title(f"{words}\nis {figures.short(names[labels[place]], 16)}", fontsize=8)
    return made
