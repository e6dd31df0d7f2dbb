"""What ImageDataGenerator does with an image: what is drawn for it, how it is changed, how it is standardized."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.preprocessing.image import transforms
from numba_cnn.preprocessing.image.transforms import Parameters, as_numbers
from numba_cnn.settings import (
    Check,
    Checked,
    Settings,
    choice,
    flag,
    function,
    number,
    optional,
    real,
)

FILL_MODES = "constant", "nearest", "reflect", "wrap"
DTYPES = "float16", "float32", "float64"
_EPSILON = 1e-6  # what deviations get before anything is divided by them


def _numbers(owner: str, name: str, value: Any) -> Any:
    """A number, or a list of them."""
    if real(value) is not None:
        return value
    listed = isinstance(value, list | tuple | np.ndarray) and len(value)
    if listed and all(real(one) is not None for one in value):
        return value
    raise _refusal(owner, name, "a number or a list of numbers", value)


def _pair(owner: str, name: str, value: Any) -> Any:
    """Two numbers."""
    two = isinstance(value, list | tuple) and len(value) == 2
    if two and all(real(one) is not None for one in value):
        return value
    raise _refusal(owner, name, "two numbers", value)


def _zoom(owner: str, name: str, value: Any) -> list[float]:
    """[least, largest], of which a single number says how far from 1 they lie."""
    if isinstance(value, list | tuple):
        return list(_pair(owner, name, value))
    share = real(value)
    if share is None:
        raise _refusal(owner, name, "a number or two numbers", value)
    return [1 - share, 1 + share]


def _usually(default: str, check: Check) -> Check:
    """What the check lets through; the default for None."""
    return lambda owner, name, value: default if value is None else check(owner, name, value)


def _refusal(owner: str, name: str, allowed: str, value: Any) -> ValueError:
    return ValueError(f"{owner}: {name} must be {allowed}. Received: {nearest.shown(value)}")


def _legacy(op: str, seed: int | None) -> Any:
    """NumPy's own generator, or one of that kind with a seed."""
    if seed is None:
        return np.random
    return np.random.RandomState(shapes.count(op, "seed", seed, least=0) % 2**32)


class Augmenter(Checked):
    """Changes images at random, as the settings say that ImageDataGenerator explains."""

    data_format: Any
    dtype: Any
    mean: Any = None
    std: Any = None
    zca_whitening_matrix: Any = None
    _settings: ClassVar[Settings] = {
        **dict.fromkeys(
            ("featurewise_center", "samplewise_center", "featurewise_std_normalization",
             "samplewise_std_normalization", "zca_whitening", "horizontal_flip", "vertical_flip"), flag,
        ),
        **dict.fromkeys(("zca_epsilon", "rotation_range", "shear_range", "channel_shift_range", "cval"), number()),
        "width_shift_range": _numbers,
        "height_shift_range": _numbers,
        "brightness_range": optional(_pair),
        "zoom_range": _zoom,
        "fill_mode": choice(*FILL_MODES),
        "rescale": optional(number()),
        "preprocessing_function": optional(function),
        "data_format": _usually("channels_last", choice("channels_last")),
        "validation_split": number(0, below=1),
        "interpolation_order": choice(0, 1),
        "dtype": _usually("float32", choice(*DTYPES)),
    }  # fmt: skip

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ) -> None:
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.zoom_range, self.channel_shift_range = zoom_range, channel_shift_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range, self.fill_mode, self.cval = brightness_range, fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.data_format, self.dtype = data_format, dtype
        self.validation_split, self.interpolation_order = validation_split, interpolation_order
        self._imply()

    def _imply(self) -> None:
        """What is normalized or whitened is centred first."""
        for of, center in (
            ("zca_whitening", "featurewise_center"),
            ("featurewise_std_normalization", "featurewise_center"),
            ("samplewise_std_normalization", "samplewise_center"),
        ):
            if getattr(self, of) and not getattr(self, center):
                setattr(self, center, True)
                warnings.warn(f"ImageDataGenerator: {of} sets {center} too", stacklevel=4)
        if self.zca_whitening and self.featurewise_std_normalization:
            self.featurewise_std_normalization = False
            warnings.warn(
                "ImageDataGenerator: zca_whitening takes the place of featurewise_std_normalization",
                stacklevel=4,
            )

    def get_random_transform(
        self, img_shape: tuple[int, int, int], seed: int | None = None
    ) -> dict[str, Any]:
        """What apply_transform() takes, drawn for an image of that shape: by NumPy's own generator, or from a seed."""
        shape = shapes.extents("get_random_transform", "img_shape", img_shape, least=1)
        shapes.rank("get_random_transform", "img_shape", shape, 3, "(H, W, C)")
        return self.drawn(shape, _legacy("get_random_transform", seed))

    def drawn(self, shape: tuple[int, ...], chance: Any) -> dict[str, Any]:
        """The same by a given generator; in Keras's order, so that the same numbers give the same changes."""
        theta = self._within(self.rotation_range, chance)
        tx = self._shift(self.height_shift_range, shape[0], chance)
        ty = self._shift(self.width_shift_range, shape[1], chance)
        shear = self._within(self.shear_range, chance)
        zx, zy = 1, 1
        if self.zoom_range != [1, 1]:
            zx, zy = chance.uniform(*self.zoom_range, 2)
        flip_horizontal = bool(chance.random() < 0.5 and self.horizontal_flip)
        flip_vertical = bool(chance.random() < 0.5 and self.vertical_flip)
        intensity = brightness = None
        if self.channel_shift_range:
            intensity = self._within(self.channel_shift_range, chance)
        if self.brightness_range is not None:
            brightness = chance.uniform(*self.brightness_range)
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy,
            "flip_horizontal": flip_horizontal, "flip_vertical": flip_vertical,
            "channel_shift_intensity": intensity, "brightness": brightness,
        }  # fmt: skip

    @staticmethod
    def _within(most: float, chance: Any) -> float:
        return chance.uniform(-most, most) if most else 0

    @staticmethod
    def _shift(most: Any, extent: int, chance: Any) -> float:
        """In pixels: a whole number up to an integer, one of a list or its opposite, or up to a share of the extent."""
        if np.ndim(most) == 0 and not most:
            return 0
        if isinstance(most, float | np.floating):
            shift = chance.uniform(-most, most)
        else:
            shift = chance.choice(most) * chance.choice([-1, 1])
        return float(shift * extent if np.max(most) < 1 else shift)

    def apply_transform(self, x: np.ndarray, transform_parameters: Parameters) -> np.ndarray:
        """An image (H, W, C), changed by what get_random_transform() returns; what is missing there is left out.

        theta, shear     degrees
        tx, ty           pixels
        zx, zy           factors by which the image shows more
        flip_horizontal, flip_vertical, channel_shift_intensity, brightness

        Raises ValueError for what is no image.
        """
        x = as_numbers("apply_transform", x, 3, "an image (H, W, C)")
        parameters = {
            name: value for name, value in transform_parameters.items() if value is not None
        }
        matrix = transforms.affine_map(x.shape, parameters)
        if matrix is not None:
            x = transforms.warped(x, matrix, self.interpolation_order, self.fill_mode, self.cval)
        flips = [bool(parameters.get(f"flip_{way}")) for way in ("horizontal", "vertical")]
        if any(flips):
            x = transforms.mirrored(x, *flips)
        if "channel_shift_intensity" in parameters:
            x = transforms.shifted_channels(x, parameters["channel_shift_intensity"])
        return (
            transforms.brightened(x, parameters["brightness"]) if "brightness" in parameters else x
        )

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image (H, W, C) changed at random."""
        x = as_numbers("random_transform", x, 3, "an image (H, W, C)")
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image, or a batch of them, through preprocessing_function and then normalized; floats in place."""
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if np.asarray(x).dtype.kind != "f":
            x = np.asarray(x, self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= x.mean()
        if self.samplewise_std_normalization:
            x /= x.std() + _EPSILON
        if self.featurewise_center and self._has_seen("mean", "featurewise_center"):
            x -= self.mean
        if self.featurewise_std_normalization and self._has_seen(
            "std", "featurewise_std_normalization"
        ):
            x /= self.std + _EPSILON
        if self.zca_whitening and self._has_seen("zca_whitening_matrix", "zca_whitening"):
            flat = x.reshape(-1, math.prod(x.shape[-3:]))
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _has_seen(self, statistic: str, setting: str) -> bool:
        if getattr(self, statistic) is not None:
            return True
        warnings.warn(f"ImageDataGenerator: {setting} does nothing before fit(x)", stacklevel=3)
        return False

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn the mean, the deviation and the whitening of images x (N, H, W, C), for the featurewise settings.

        augment, rounds    whether to learn from images that are changed at random, so many times each
        seed               of these changes

        Raises ValueError for what are no images.
        """
        images = as_numbers("fit", x, 4, "images (N, H, W, C)").astype(self.dtype)
        chance, rounds = _legacy("fit", seed), shapes.count("fit", "rounds", rounds)
        if self.rescale:
            images *= self.rescale
        if flag("fit", "augment", augment):
            changed = [
                self.apply_transform(image, self.drawn(image.shape, chance))
                for _ in range(rounds)
                for image in images
            ]
            images = np.array(changed, self.dtype)
        if self.featurewise_center:
            self.mean = images.mean((0, 1, 2)).reshape(1, 1, -1)
            images -= self.mean
        if self.featurewise_std_normalization:
            self.std = images.std((0, 1, 2)).reshape(1, 1, -1)
            images /= self.std + _EPSILON
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(images.reshape(len(images), -1).T, full_matrices=False)
            inverse = np.sqrt(len(images)) / (s + self.zca_epsilon)
            self.zca_whitening_matrix = (u * inverse) @ u.T
