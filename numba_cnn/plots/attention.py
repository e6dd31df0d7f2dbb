"""Where a classifier looks: Grad-CAM and saliency."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import classification, nearest
from numba_cnn.plots import figures
from numba_cnn.plots.figures import Figure, figure
from numba_cnn.settings import array

_PASSED_OVER = "Pooling", "Flatten", "Dropout", "Reshape", "Softmax", "Dense"


@figure
def grad_cam(model: Any, x: Any, classes: Any = None, layer: Any = None) -> Figure:
    """Beside each image, which of its parts speak for a class: Grad-CAM (Selvaraju et al., 2017).

    x          images (N, H, W, C), or one
    classes    the number of the class that is asked about, one for all or one for each image (N,); None: what the
               model says
    layer      whose maps are weighed, or its name; None: the last whose maps have an extent, but for poolings
    """
    op = "grad_cam"
    images = figures.check_images(op, model, x)
    heat, said = class_activation(op, model, images, classes, layer)
    return _pairs(model, images, heat, said)


@figure
def saliency(model: Any, x: Any, classes: Any = None) -> Figure:
    """Beside each image, how much the score of a class hangs on each pixel: the largest gradient of its channels.

    x          images (N, H, W, C), or one
    classes    the number of the class that is asked about, one for all or one for each image (N,); None: what the
               model says
    """
    op = "saliency"
    images = figures.check_images(op, model, x)
    dy, said = _asked(op, model, images, classes)
    heat = np.abs(model.gradients(images, dy, scores=True)).max(-1)
    return _pairs(model, images, _to_one(heat), said)


def class_activation(
    op: str, model: Any, images: np.ndarray, classes: Any, layer: Any
) -> tuple[np.ndarray, np.ndarray]:
    """(maps (N, H, W) in 0..1, the class asked about of each image (N,)): the sum of a layer's maps, weighed by the
    mean of their gradients, where it is positive, enlarged to the images' size."""
    dy, said = _asked(op, model, images, classes)
    place = last_maps(op, model, images) if layer is None else layer
    found = []
    for probe in model._probes(op, images, dy, place, True):
        values, gradients = map(model.backend.to_numpy, (probe.values[0], probe.gradients[0]))
        if values.ndim != 4:
            raise ValueError(
                f"{op}: layer must give maps (N, H, W, C). Received: one of shape {values.shape}"
            )
        weights = gradients.mean((1, 2), keepdims=True)
        found.append(np.maximum((weights * values).sum(-1), 0))
    return _enlarged(_to_one(np.concatenate(found)), images.shape[1:3]), said


def last_maps(op: str, model: Any, images: np.ndarray) -> Any:
    """The last layer that gives maps of some extent."""
    found = None
    for layer, value in model._values_of_layers(images[:1]):
        passed = any(word in layer.class_name for word in _PASSED_OVER)
        if value.ndim == 4 and value.shape[1] * value.shape[2] > 1 and not passed:
            found = layer
    if found is None:
        raise ValueError(f"{op}: model must have a layer with maps (N, H, W, C). Received: {model}")
    return found


def _asked(op: str, model: Any, images: np.ndarray, classes: Any) -> tuple[np.ndarray, np.ndarray]:
    """What the gradients are of: 1 at the class of each image that is asked about; and these classes."""
    outputs = model.predict(images, verbose=0)
    shares = classification.as_shares(op, outputs)
    N, count = shares.shape
    said = shares.argmax(1)
    if classes is not None:
        given = array(classes)
        fits = given.shape in ((), (N,)) and given.dtype.kind in "iu"
        if not fits or not 0 <= given.min() <= given.max() < count:
            raise ValueError(
                f"{op}: classes must be a number of 0 to {count - 1}, or one for each of the {N} images. "
                f"Received: {nearest.shown(classes)}"
            )
        said = np.broadcast_to(given, (N,)).astype(np.int64)
    if outputs.shape[1] == 1:  # one score, which speaks for the second class
        return (2.0 * said - 1)[:, None].astype(np.float32), said
    return np.eye(count, dtype=np.float32)[said], said


def _pairs(model: Any, images: np.ndarray, heat: np.ndarray, said: np.ndarray) -> Figure:
    """Each image beside itself in grey under its heat."""
    shares = classification.as_shares("plots", model.predict(images, verbose=0))
    names = classification.class_names(model.class_names, shares.shape[1])
    made, axes = figures.grid(2 * len(images), 6, 1.45, 1.75)
    for i, image in enumerate(images):
        left, right = axes[2 * i : 2 * i + 2]
        left.imshow(figures.visible(image), interpolation="nearest")
        left.set_title(figures.short(names[said[i]], 20), fontsize=8)
        right.imshow(overlaid(image, heat[i]), interpolation="nearest")
        right.set_title(f"{shares[i, said[i]]:.0%}", fontsize=8)
    return made


def overlaid(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """An image in grey, its heat in colours over it where there is some: (H, W, 3) in 0..1."""
    from matplotlib import colormaps

    grey = figures.visible(image).mean(-1, keepdims=True)
    colors = colormaps["inferno"](heat)[..., :3]
    share = 0.25 + 0.65 * heat[..., None]
    mixed: np.ndarray = (1 - share) * grey + share * colors
    return mixed


def _to_one(heat: np.ndarray) -> np.ndarray:
    """Each map divided by its largest number."""
    largest = heat.max((1, 2), keepdims=True)
    found: np.ndarray = np.divide(heat, largest, out=np.zeros_like(heat), where=largest > 0)
    return found


def _enlarged(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps (N, h, w) as images of that size, linear between their middles."""
    for axis, extent in ((1, size[0]), (2, size[1])):
        h = maps.shape[axis]
        at = np.clip((np.arange(extent) + 0.5) * h / extent - 0.5, 0, h - 1)
        low = np.minimum(at.astype(int), h - 1)
        part = (at - low).reshape((-1, 1) if axis == 1 else -1).astype(maps.dtype)
        high = np.minimum(low + 1, h - 1)
        maps = (1 - part) * maps.take(low, axis) + part * maps.take(high, axis)
    return maps
