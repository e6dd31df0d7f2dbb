"""MNIST: handwritten digits in grey."""

from __future__ import annotations

import numpy as np

from numba_cnn import downloads, nearest
from numba_cnn.datasets.read_arrays import read_arrays

Split = tuple[np.ndarray, np.ndarray]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


@nearest.keywords
def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test) as Keras has them: uint8 images (N, 28, 28), labels (N,).

    path    the file's name in Keras's folder, ~/.keras/datasets, or a whole path; it is fetched if it is not there

    Raises OSError, which says what to put where, if it cannot be fetched. Source: LeCun & Cortes.
    """
    if not isinstance(path, str) or not path:
        raise ValueError(f"load_data: path must be a file's name. Received: {nearest.shown(path)}")
    target = downloads.cache_folder(None, "datasets") / path
    arrays = read_arrays(downloads.fetch(target, _ORIGIN, _SHA256))
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
