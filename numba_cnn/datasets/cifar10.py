"""CIFAR-10: small photographs of ten classes."""

from __future__ import annotations

from numba_cnn.datasets import cifar
from numba_cnn.datasets.cifar import Split

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_TRAIN = [f"data_batch_{i}" for i in range(1, 6)]


def load_data() -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test) as Keras has them: uint8 images (N, 32, 32, 3), labels (N, 1).

    What Keras has fetched into ~/.keras/datasets is found; else the archive is fetched there. Raises OSError, which
    says what to put where, if it cannot be fetched, ValueError for broken files. Source: Krizhevsky, 2009.
    """
    found = cifar.batches("cifar-10-batches-py", [*_TRAIN, "test_batch"], _ORIGIN, _SHA256)
    return cifar.images(found[:-1], "labels"), cifar.images(found[-1:], "labels")
