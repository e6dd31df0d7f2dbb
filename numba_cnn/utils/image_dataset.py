"""Image files in folders as a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest, session, shapes, threads
from numba_cnn.settings import array, choice, flag, number, optional
from numba_cnn.utils import folders, in_shares
from numba_cnn.utils.dataset import Dataset
from numba_cnn.utils.images import img_to_array, load_img
from numba_cnn.utils.resizing import INTERPOLATIONS, resized

_OP = "image_dataset_from_directory"
ENDINGS = ".bmp", ".gif", ".jpeg", ".jpg", ".png"
_CHANNELS = "grayscale", "rgb", "rgba"
_SUBSETS = "training", "validation", "both"


class Files(NamedTuple):
    """Paths of images, and the class of each where there are classes."""

    paths: list[str]
    labels: np.ndarray | None

    def part(self, which: slice) -> Files:
        return Files(self.paths[which], None if self.labels is None else self.labels[which])


class Reading(NamedTuple):
    """What becomes of a file."""

    color_mode: str
    size: tuple[int, int]
    interpolation: str
    crop: bool
    pad: bool
    antialias: bool
    upright: bool

    @classmethod
    def checked(
        cls,
        color_mode: Any,
        size: Any,
        interpolation: Any,
        crop: Any,
        pad: Any,
        antialias: Any,
        upright: Any,
    ) -> Reading:
        found = cls(
            choice(*_CHANNELS)(_OP, "color_mode", color_mode),
            shapes.pair(_OP, "image_size", size),
            choice(*INTERPOLATIONS)(_OP, "interpolation", interpolation),
            flag(_OP, "crop_to_aspect_ratio", crop),
            flag(_OP, "pad_to_aspect_ratio", pad),
            flag(_OP, "antialias", antialias),
            flag(_OP, "upright", upright),
        )
        if found.crop and found.pad:
            raise ValueError(
                f"{_OP}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True. Received: both"
            )
        return found

    def image(self, path: str) -> np.ndarray:
        """(H, W, C) float32, values 0..255."""
        image = load_img(path, self.color_mode, upright=self.upright)
        x = img_to_array(image, dtype=np.uint8 if image.mode in ("L", "RGB", "RGBA") else None)
        how = {"crop": self.crop, "pad": self.pad, "antialias": self.antialias}
        found: np.ndarray = resized(x[None], self.size, self.interpolation, **how)[0]
        return found


@nearest.keywords
def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str | None = None,
    verbose: bool = True,
    antialias: bool = False,
    upright: bool = False,
) -> Any:
    """The images in directory/<class>/ and below as a Dataset of batches (images, labels); needs the extra "images".

    Each image is read when its batch is made, by as many threads as there are processors; none is kept.

    labels          "inferred" from the folders, None for none, or a list of integers for the files in the order of
                    their paths
    label_mode      "int" (N,) int32, "categorical" (N, classes) or "binary" (N, 1) float32, None for images alone
    class_names     the folders that are classes, in the order of their numbers; by name unless given
    color_mode      "rgb", "rgba" or "grayscale"
    batch_size      None for single images
    image_size      (height, width) that all are brought to
    shuffle, seed   whether files come in an order of the seed's, and in another one in each pass; else by their paths
    validation_split, subset    the share at the end that subset="validation" has, and "training" has not; "both" is
                    the list of both datasets
    interpolation   "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5"
    crop_to_aspect_ratio, pad_to_aspect_ratio    whether to cut off what does not fit, or to frame it in black, instead
                    of stretching
    antialias       whether to look at wider windows where images shrink, which Keras does not
    upright         whether to turn images as EXIF's orientation says, which Keras does not
    returns         images (N, H, W, C) float32, values 0..255; the dataset has .class_names and .file_paths

    Neither what is hidden is a class or an image, nor what is no regular file. Raises ValueError where there is no
    image, and in a pass for one that cannot be read.
    """
    how = interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, antialias, upright
    reading = Reading.checked(color_mode, image_size, *how)
    optional(choice("channels_last"))(_OP, "data_format", data_format)
    optional(choice("tf", "grain"))(_OP, "format", format)  # what the dataset is of in Keras
    split = _split(validation_split, subset, flag(_OP, "shuffle", shuffle), seed)
    chosen = session.new_order_seed() if seed is None else shapes.count(_OP, "seed", seed, least=0)
    mode = None if labels is None else label_mode
    optional(choice("int", "categorical", "binary"))(_OP, "label_mode", mode)
    labels = labels if mode else None
    files, names = _found(directory, labels, class_names, follow_links, verbose)
    _check_classes(mode, names)
    files = _in_order_of(chosen, files) if shuffle else files
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        mine = _part(files, part, split, verbose)
        order = chosen if shuffle and (subset, part) != ("both", "validation") else None
        made.append(_dataset(mine, reading, mode, names, order, batch_size))
    return made if subset == "both" else made[0]


def _check_classes(mode: str | None, names: list[str] | None) -> None:
    if mode == "binary" and len(names or ()) != 2:
        raise ValueError(
            f'{_OP}: label_mode="binary" takes two classes. Received: {nearest.shown(names)}'
        )


def _part(files: Files, part: str | None, share: float, verbose: bool) -> Files:
    """The files of a subset: those for validation are the last."""
    if part is None:
        return files
    n = len(files.paths)
    at = n - int(share * n)
    mine = files.part(slice(0, at) if part == "training" else slice(at, n))
    if not mine.paths:
        raise ValueError(
            f"{_OP}: validation_split must leave images on both sides. Received: {n} images, validation_split {share}"
        )
    if verbose:
        print(f"Using {len(mine.paths)} files for {part}.")
    return mine


def _split(share: Any, subset: Any, shuffle: bool, seed: Any) -> float:
    """The share for validation, 0 where there is none."""
    if share is None and subset is None:
        return 0.0
    if share is None or subset is None:
        raise ValueError(
            f"{_OP}: validation_split and subset must be given together. "
            f"Received: validation_split={nearest.shown(share)}, subset={nearest.shown(subset)}"
        )
    choice(*_SUBSETS)(_OP, "subset", subset)
    found: float = number(above=0, below=1)(_OP, "validation_split", share)
    if shuffle and seed is None and subset != "both":
        raise ValueError(
            f"{_OP}: seed must be given, or shuffle=False, where two calls divide files, or the parts overlap. "
            "Received: seed=None"
        )
    return found


def _found(
    directory: Any, labels: Any, class_names: Any, follow_links: Any, verbose: Any
) -> tuple[Files, list[str] | None]:
    """The files in the order of their paths, and the classes."""
    home, links = folders.checked(_OP, directory), flag(_OP, "follow_links", follow_links)
    inferred = isinstance(labels, str) and labels == "inferred"
    if not inferred and not (labels is None or isinstance(labels, list | tuple | np.ndarray)):
        raise ValueError(
            f'{_OP}: labels must be "inferred", None or a list of integers. Received: {nearest.shown(labels)}'
        )
    if class_names is not None and not inferred:
        raise ValueError(
            f'{_OP}: class_names go with labels="inferred". Received: labels={nearest.shown(labels)}'
        )
    names = _names(home, class_names) if inferred else [""]
    found = [folders.files_below(os.path.join(home, name), ENDINGS, links) for name in names]
    paths = [
        os.path.join(home, name, file)
        for name, each in zip(names, found, strict=True)
        for file in each
    ]
    if not paths:
        raise ValueError(
            f"{_OP}: directory must hold images, files that end in {', '.join(ENDINGS)}, in a folder for each class. "
            f"Received: {home}"
        )
    if labels is None:
        numbers, classes = None, None
    elif inferred:
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(each) for each in found])
        classes = names
    else:
        numbers = _integers(labels, len(paths))
        classes = [str(label) for label in sorted(set(numbers.tolist()))]
    if verbose:
        of = "" if classes is None else f" belonging to {len(classes)} classes"
        print(f"Found {len(paths)} files{of}.")
    return Files(paths, numbers), classes


def _names(home: str, class_names: Any) -> list[str]:
    there = folders.classes(home)
    if class_names is None:
        return there
    strings = isinstance(class_names, list | tuple) and all(isinstance(c, str) for c in class_names)
    if not strings or not set(class_names) <= set(there):
        raise ValueError(
            f"{_OP}: class_names must be folders in {home}, which has {', '.join(there) or 'none'}. "
            f"Received: {nearest.shown(class_names)}"
        )
    return list(class_names)


def _integers(labels: Any, n: int) -> np.ndarray:
    numbers = array(labels)
    if numbers.shape != (n,) or numbers.dtype.kind not in "iub":
        raise ValueError(
            f"{_OP}: labels must be an integer for each of the {n} files. Received: {nearest.shown(labels)}"
        )
    return numbers.astype(np.int32)


def _in_order_of(seed: int, files: Files) -> Files:
    """The order in which Keras has files for this seed."""
    paths = list(files.paths)
    np.random.RandomState(seed % 2**32).shuffle(paths)
    labels = None if files.labels is None else files.labels.copy()
    if labels is not None:
        np.random.RandomState(seed % 2**32).shuffle(labels)
    return Files(paths, labels)


def _dataset(
    files: Files,
    reading: Reading,
    mode: str | None,
    names: list[str] | None,
    seed: int | None,
    batch_size: int | None,
) -> Dataset:
    """The images, in an order of each pass's own where there is a seed."""
    n = len(files.paths)

    def order(epoch: int) -> np.ndarray:
        return np.arange(n) if seed is None else np.random.default_rng((seed, epoch)).permutation(n)

    def made(order: np.ndarray) -> Iterator[Any]:
        images = threads.mapped(reading.image, (files.paths[i] for i in order))
        if files.labels is None:
            return images
        return zip(images, map(_coded, files.labels[order]), strict=True)

    def _coded(label: np.int32) -> Any:
        if mode == "int":
            return label
        if mode == "binary":
            return np.array([label], np.float32)
        return np.eye(1, len(names or ()), int(label), dtype=np.float32)[0]

    dataset = Dataset(lambda epoch: made(order(epoch)), n)
    if batch_size is not None:
        size = shapes.count(_OP, "batch_size", batch_size)
        labels = None if files.labels is None else files.labels.tolist()
        told = partial(in_shares.checksum, files.paths, labels, reading, mode, seed)
        dataset = in_shares.batches(order, made, n, size, told)
    dataset.class_names, dataset.file_paths = names, files.paths  # type: ignore[attr-defined]
    return dataset
