"""The models of --model, and what --augment puts before them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba_cnn import nearest
from numba_cnn.commands.data import Data

NAMES = {
    "tutorial": "tutorial_cnn",
    "lenet": "lenet",
    "vgg": "vgg",
    "resnet20": "resnet20",
    "mobilenet": "mobilenet",
    "unet": "unet",
}
_FILES = ".keras", ".h5", ".hdf5", ".json"
_SHIFT = 1 / 12  # of the image's side, at most: 5 of 64 pixels


def _shift(layers: Any) -> Any:
    return layers.RandomTranslation(_SHIFT, _SHIFT, fill_mode="nearest", interpolation="nearest")


AUGMENTATIONS: dict[str, Callable[[Any], Any]] = {
    "shift": _shift,
    "flip": lambda layers: layers.RandomFlip("horizontal"),
    "mirror": lambda layers: layers.RandomFlip("horizontal_and_vertical"),
    "rotate": lambda layers: layers.RandomRotation(0.06),
    "turn": lambda layers: layers.RandomRotation(0.5),
    "zoom": lambda layers: layers.RandomZoom(0.15),
    "brightness": lambda layers: layers.RandomBrightness(0.2, value_range=(0, 1)),
    "contrast": lambda layers: layers.RandomContrast(0.2, value_range=(0, 1)),
}


def name(given: str) -> str:
    """--model, known to be a name or to end as files of models do."""
    if given not in NAMES and Path(given).suffix not in _FILES:
        hint = nearest.hint(given, NAMES, "models")
        raise argparse.ArgumentTypeError(
            f"there is no model {given!r:.80}{hint}. Allowed: {', '.join(NAMES)}, and files that end in "
            f"{', '.join(_FILES)}"
        )
    return given


def augmentations(given: str) -> str:
    """--augment, known to be a list of such words."""
    for word in _words(given):
        if word not in AUGMENTATIONS:
            hint = nearest.hint(word, AUGMENTATIONS, "augmentations")
            raise argparse.ArgumentTypeError(
                f"there is no change {word!r:.80}{hint}. Allowed: {', '.join(AUGMENTATIONS)}, none"
            )
    return given


def _words(given: str) -> list[str]:
    return [word.strip() for word in given.split(",") if word.strip() not in ("", "none")]


def network(name: str, data: Data, source: str) -> Any:
    """A new model for the data, or the one in a file. Raises ValueError for one that does not fit the data."""
    from numba_cnn import models

    wants_masks, has_masks = name == "unet", data.train.y.ndim > 1
    if name in NAMES:
        if wants_masks != has_masks:
            raise ValueError(
                "--model unet takes a folder with images and masks, and such a folder takes it. "
                f"Received: --model {name}, --data {source}"
            )
        model: Any = getattr(models, NAMES[name])(tuple(data.shape), data.classes)
        return model
    if Path(name).suffix == ".json":
        model = models.model_from_json(Path(name).read_text(encoding="utf-8"))
    else:
        model = models.load_model(name, compile=False, backend="cpu")
    expected, given = (None, *data.shape), model.input_shape
    fits = len(expected) == len(given) and all(
        g in (None, e) for e, g in zip(expected, given, strict=True)
    )
    if not fits or model.output_shape[-1] != data.classes:
        raise ValueError(
            f"the model of {name} takes {given} and gives {model.output_shape}; the images of {source} are {expected}, "
            f"of {data.classes} classes. Received: a model that does not fit"
        )
    return model


def augmented(model: Any, given: str) -> Any:
    """The model behind layers that change images in training; the model itself where there are none."""
    from numba_cnn import layers, models

    words = _words(given)
    if not words:
        return model
    if len(model.output_shape) == 4:
        return model  # what moves images would have to move their masks
    changes = [AUGMENTATIONS[word](layers) for word in words]
    return models.Sequential(
        [layers.InputLayer(model.input_shape[1:]), *changes, model], name="training"
    )
