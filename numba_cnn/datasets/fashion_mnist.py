"""Fashion-MNIST: clothes in grey, in MNIST's shape."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from numba_cnn import downloads, files

Split = tuple[np.ndarray, np.ndarray]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_PIXELS = 28


def load_data() -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test) as Keras has them: uint8 images (N, 28, 28), labels (N,).

    The files lie in ~/.keras/datasets/fashion-mnist; they are fetched if they are not there. Raises OSError, which says
    what to put where, if they cannot be fetched, ValueError for broken ones. Source: Zalando Research, MIT licence.
    """
    train, test = (_split(name) for name in ("train", "t10k"))
    return train, test


def _split(name: str) -> Split:
    folder = downloads.cache_folder(None, "datasets/fashion-mnist")
    images, labels = (
        _read(downloads.fetch(folder / file, f"{_ORIGIN}{file}"), axes)
        for file, axes in ((f"{name}-images-idx3-ubyte.gz", 3), (f"{name}-labels-idx1-ubyte.gz", 1))
    )
    if images.shape[1:] != (_PIXELS, _PIXELS) or len(images) != len(labels):
        raise ValueError(
            f"the images must be 28 x 28, one for each label. Received: {images.shape}, {labels.shape} in {folder}"
        )
    return images, labels


def _read(path: Path, axes: int) -> np.ndarray:
    """The array of an IDX file that is packed by gzip: numbers of 8 bits behind a head of 4 bytes for each axis."""
    with files.reading("not a complete IDX file", path), files.open_regular(path) as packed:
        most = files.unpacked_limit(files.size(packed))
        with gzip.open(packed) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ValueError(f"it unpacks to more than {most} bytes")
        head = np.frombuffer(content, ">i4", 1 + axes)
        if head[0] != 0x0800 + axes:
            raise ValueError(f"expected bytes of {axes} axes")
        return np.frombuffer(content, np.uint8, offset=4 * (1 + axes)).reshape(head[1:])
