"""What a model gives for images whose classes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import classification
from numba_cnn.classification import Classification

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


def results_of(
    model: Any,
    given: dict[str, Any],
    labels: np.ndarray,
    names: Sequence[str],
    images: Callable[[Places], np.ndarray],
    **how: Any,
) -> Results:
    """Have a model called on images whose classes are known.

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
