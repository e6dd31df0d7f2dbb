"""Batches of image files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.preprocessing.image.iterators import SUBSETS, ImageIterator, Order, Saving
from numba_cnn.settings import choice, flag, optional
from numba_cnn.utils import folders, img_to_array, load_img
from numba_cnn.utils.in_shares import checksum

if TYPE_CHECKING:
    from numba_cnn.preprocessing.image.augmenter import Augmenter

ENDINGS = ".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"
CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


class Reading(NamedTuple):
    """How image files are read: the arguments of load_img()."""

    color_mode: str
    target_size: tuple[int, int]
    interpolation: str
    keep_aspect_ratio: bool
    upright: bool

    @classmethod
    def checked(
        cls, op: str, target_size: Any, color_mode: Any, how: Any, keep: Any, upright: Any
    ) -> Reading:
        size = shapes.pair(op, "target_size", target_size)
        mode = choice(*CHANNELS)(op, "color_mode", color_mode)
        interpolations = "nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"
        how = choice(*interpolations)(op, "interpolation", how)
        flags = flag(op, "keep_aspect_ratio", keep), flag(op, "upright", upright)
        return cls(mode, size, how, *flags)


def part_of(op: str, subset: Any, generator: Augmenter, n: int) -> slice:
    """What belongs to a subset of n files: the first are for validation."""
    if subset is None:
        return slice(0, n)
    choice(*SUBSETS)(op, "subset", subset)
    at = int(generator.validation_split * n)
    return slice(0, at) if subset == "validation" else slice(at, n)


class FilesIterator(ImageIterator):
    """Image files, `filenames` in `directory`, and what belongs to each."""

    class_mode: str | None
    class_indices: dict[str, int]
    classes: Any  # the class of each file, or a list of them
    directory: str
    filenames: list[str]

    def _take(self, reading: Reading) -> None:
        self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio = reading[:4]
        self._reading = reading
        self.image_shape = *self.target_size, CHANNELS[self.color_mode]

    @property
    def filepaths(self) -> list[str]:
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self) -> Any:
        """What the batches' y is made of."""
        return self.classes

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their numbers."""
        return list(self.class_indices)

    @property
    def sample_weight(self) -> np.ndarray | None:
        return None

    def _samples_told(self) -> Any:
        weights = self.sample_weight
        listed = [np.asarray(one).tolist() for one in (self.labels, weights) if one is not None]
        return checksum(self.filepaths, self._reading, self.class_mode, listed)

    def _read(self, place: int) -> np.ndarray:
        path = os.path.join(self.directory, self.filenames[place])
        image = load_img(path, *self._reading)
        return img_to_array(image, dtype=np.uint8 if image.mode in ("L", "RGB", "RGBA") else None)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        x = self._images(index_array, self._read)
        if self.class_mode is None:
            return x
        y = self._targets(x, index_array)
        weight = self.sample_weight
        return (x, y) if weight is None else (x, y, weight[index_array])

    def _targets(self, x: np.ndarray, places: np.ndarray) -> Any:
        if self.class_mode == "input":
            return x.copy()
        if self.class_mode == "multi_output":
            return [output[places] for output in self.labels]
        if self.class_mode == "raw":
            return self.labels[places]
        classes = [self.classes[place] for place in places]
        if self.class_mode in ("binary", "sparse"):
            return np.array(classes, self.dtype)
        y: np.ndarray = np.zeros((len(places), len(self.class_indices)), self.dtype)
        for row, mine in zip(y, classes, strict=True):
            row[mine] = 1
        return y


class DirectoryIterator(FilesIterator):
    """Batches of the images in directory/<class>/ and below, which flow_from_directory() makes."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        generator: Augmenter,
        reading: Reading,
        saving: Saving,
        order: Order,
        classes: Any,
        class_mode: str | None,
        follow_links: bool,
        subset: str | None,
    ) -> None:
        op = "flow_from_directory"
        self._take(reading)
        modes = optional(choice("categorical", "binary", "sparse", "input"))
        self.class_mode = modes(op, "class_mode", class_mode)
        self.directory = folders.checked(op, directory)
        names = self._names(op, classes)
        self.class_indices = {name: label for label, name in enumerate(names)}
        self.num_classes = len(names)
        self.filenames, labels = [], []
        for name, label in self.class_indices.items():
            folder = os.path.join(self.directory, name)
            found = folders.files_below(folder, ENDINGS, flag(op, "follow_links", follow_links))
            found = found[part_of(op, subset, generator, len(found))]
            self.filenames += [os.path.join(name, file) for file in found]
            labels += [label] * len(found)
        self.classes = np.array(labels, np.int32)
        print(f"Found {len(labels)} images belonging to {len(names)} classes.")
        if not labels:
            raise ValueError(
                f"{op}: directory must hold a folder of images for each class, files that end in {', '.join(ENDINGS)}. "
                f"Received: {self.directory}"
            )
        super().__init__(len(labels), generator, saving, order)

    def _names(self, op: str, classes: Any) -> list[str]:
        """The folders that are classes."""
        there = folders.classes(self.directory)
        if classes is None or (isinstance(classes, list | tuple) and not classes):
            return there
        if not isinstance(classes, list | tuple) or not all(isinstance(c, str) for c in classes):
            raise ValueError(
                f"{op}: classes must be a list of folders' names. Received: {nearest.shown(classes)}"
            )
        for name in classes:
            if not os.path.isdir(os.path.join(self.directory, name)):
                raise ValueError(
                    f"{op}: classes must be folders in {self.directory}, which has {', '.join(there) or 'none'}. "
                    f"Received: {name!r}"
                )
        return list(classes)
