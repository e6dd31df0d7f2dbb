"""What a model gives for images whose classes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import classification, nearest
from numba_cnn.classification import Classification
from numba_cnn.plots.figures import check_images
from numba_cnn.settings import array

Places = Sequence[int] | np.ndarray


class Results(NamedTuple):
    """What a model gave for images, and what is true.

    logs      loss and metrics by name
    counts    who was taken for whom; of pixels, where each has a class
    shares    (N, classes), or (N, H, W, classes)
    labels    (N,), or (N, H, W)
    names     what the images are called
    images    a function of places that returns these images, (n, H, W, C)
    """

    logs: dict[str, float]
    counts: Classification
    shares: np.ndarray
    labels: np.ndarray
    names: Sequence[str]
    images: Callable[[Places], np.ndarray]

    @property
    def is_of_images(self) -> bool:
        """Whether each image has one class, and not each of its pixels."""
        return self.shares.ndim == 2

    def worst(self, count: int) -> np.ndarray:
        """The places of the images that the model is surest of and wrong about; none of segmentations."""
        if not self.is_of_images:
            return np.zeros(0, np.int64)
        return classification.worst(self.shares, self.labels, count)


@nearest.keywords
def results_of(
    model: Any,
    x: Any,
    y: Any,
    names: Sequence[str] | None = None,
    batch_size: int = 32,
) -> Results:
    """What a compiled model gives for images whose classes are known; model.class_names are what they are called.

    x        (N, H, W, C), as evaluate() takes them
    y        integers (N,), or (N, H, W) where each pixel has a class
    names    what the images are called, their numbers unless given

    Raises TypeError or ValueError for what is no model, image or class.
    """
    images, labels = check_images("results_of", model, x), array(y)
    if labels.dtype.kind not in "iu" or labels.shape[:1] != images.shape[:1]:
        raise ValueError(
            f"results_of: y must be integers, one for each image or pixel. Received: {nearest.shown(y)}"
        )
    called = [str(i) for i in range(len(labels))] if names is None else names
    if (
        isinstance(called, str | bytes)
        or not isinstance(called, Sequence)
        or len(called) != len(labels)
    ):
        raise ValueError(
            f"results_of: names must have one for each of the {len(labels)} images. Received: {nearest.shown(names)}"
        )
    given = {"x": x, "y": y}
    how = {"batch_size": batch_size, "verbose": 0}
    return results_from(model, given, labels, called, lambda places: images[places], **how)


def results_from(
    model: Any,
    given: dict[str, Any],
    labels: np.ndarray,
    names: Sequence[str],
    images: Callable[[Places], np.ndarray],
    **how: Any,
) -> Results:
    """Have a model called on images, however evaluate() gets them.

    given     x, and y unless x gives batches of both, as evaluate() takes them
    how       batch_size and verbose of evaluate(), class_names
    """
    class_names = how.pop("class_names", None) or model.class_names
    logs = model.evaluate(**given, **how, return_dict=True)
    outputs = model.predict(given["x"], batch_size=how.get("batch_size"), verbose=0)
    flat = classification.as_shares("evaluate", outputs.reshape(-1, outputs.shape[-1]))
    counts = classification.classified("evaluate", flat, labels.reshape(-1), class_names)
    shares = flat if outputs.ndim == 2 else outputs
    return Results(logs, counts, shares, labels, names, images)
