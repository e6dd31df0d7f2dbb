"""numba-cnn predict."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn import classification
from numba_cnn.commands import PROGRAM, reporting
from numba_cnn.commands import arguments as common

HELP = """say what images show: file, class and probability, a line for each image

IMAGE is a .png, .jpg, .gif, .bmp, .tif or .webp (needs the extra "images"),
an .npy or .npz file of arrays, a folder, which is looked through with the
folders in it, or - for one image on standard input. An image that cannot be
read is named on standard error, the others are done, and the exit code is 1.

examples:
  numba-cnn predict out holiday/*.jpg
  numba-cnn predict out photos --top 3 --csv > classes.csv
  curl -s https://example.org/cat.jpg | numba-cnn predict out - --json"""

_BATCH = 32
_MOST = 64 * 2**20  # bytes of standard input


def add(parser: argparse.ArgumentParser) -> None:
    common.add_model(parser)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files, folders, or -")
    parser.add_argument(
        "--top",
        type=common.positive,
        default=1,
        metavar="K",
        help="the K likeliest classes; default: 1",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="a JSON list")
    shape.add_argument("--csv", action="store_true", help="CSV: image, rank, class, probability")
    common.add_machine(parser)


def run(arguments: argparse.Namespace) -> int | None:
    common.set_threads(arguments)
    model = common.load(arguments)
    reader = _Reader(common.image_shape(model))
    said = _predicted(model, reader, arguments.images, arguments.top)
    if arguments.json:
        reporting.print_json([{"image": name, "classes": top} for name, top in said])
    elif arguments.csv:
        _write_csv(said)
    else:
        for name, top in said:
            words = (f"{one['name']}\t{one['probability']:.4f}" for one in top)
            print(f"{name}\t" + "\t".join(words), flush=True)
    return 1 if reader.failed else None


def _write_csv(said: Iterator[tuple[str, list[dict[str, Any]]]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "rank", "class", "probability"])
    for name, top in said:
        for rank, one in enumerate(top, 1):
            writer.writerow([name, rank, one["name"], f"{one['probability']:.6f}"])


def _predicted(
    model: Any, reader: _Reader, paths: list[str], top: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each image's name and its likeliest classes, by batches."""
    waiting: list[tuple[str, np.ndarray]] = []
    for item in reader.images(paths):
        waiting.append(item)
        if len(waiting) == _BATCH:
            yield from _of_batch(model, waiting, top)
            waiting = []
    if waiting:
        yield from _of_batch(model, waiting, top)


def _of_batch(
    model: Any, batch: list[tuple[str, np.ndarray]], top: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    outputs = model.predict(np.stack([image for _, image in batch]), verbose=0)
    shares = classification.as_shares("predict", outputs)
    names = classification.class_names(model.class_names, shares.shape[1])
    for (name, _), row in zip(batch, shares, strict=True):
        yield name, classification.likeliest(row, names, top)


class _Reader:
    """Images of files, ready for a model whose samples have that shape; says which cannot be read."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape, self.failed = shape, 0

    def images(self, paths: list[str]) -> Iterator[tuple[str, np.ndarray]]:
        """Each image with its name."""
        for given in paths:
            is_folder = os.path.isdir(given)
            found = _below(given) if is_folder else [given]
            if is_folder and not found:
                raise ValueError(f"expected images in the folder. Received: {given}")
            for path in found:
                if not is_folder and len(paths) == 1:
                    yield from self._read(path)
                    continue
                try:
                    yield from self._read(path)
                except (OSError, ValueError) as error:
                    self.failed += 1
                    said = (
                        f"{path}: {error.strerror}"
                        if isinstance(error, OSError) and error.strerror
                        else str(error)
                    )
                    print(f"{PROGRAM}: {' '.join(said.split())}", file=sys.stderr)

    def _read(self, path: str) -> Iterator[tuple[str, np.ndarray]]:
        from numba_cnn.datasets.load import as_images
        from numba_cnn.datasets.read_arrays import read_arrays
        from numba_cnn.datasets.read_image import decode_image, read_image

        size, channels = self.shape[:2], self.shape[2]
        if path == "-":
            content = sys.stdin.buffer.read(_MOST + 1)
            if len(content) > _MOST:
                raise ValueError(f"standard input has more than {_MOST} bytes. Received: -")
            yield "-", decode_image(content, size, channels)
            return
        if Path(path).suffix not in (".npy", ".npz"):
            yield path, read_image(path, size, channels)
            return
        for name, array in read_arrays(path).items():
            single = array.shape in (self.shape, size if channels == 1 else None)
            images = as_images(array[None] if single else array)
            if images.shape[1:] != self.shape:
                raise ValueError(
                    f"expected images {self.shape}. Received: {images.shape[1:]} in {path}"
                )
            prefix = path if Path(path).suffix == ".npy" else f"{path}:{name}"
            for i, image in enumerate(images):
                yield prefix if single else f"{prefix}[{i}]", image


def _below(folder: str) -> list[str]:
    """The images in a folder and in those inside, by their paths; nothing hidden, and no links to folders."""
    from numba_cnn.datasets.image_folder import image_files

    found = []
    for home, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [str(path) for path in image_files(home)]
    return found
