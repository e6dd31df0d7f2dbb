"""CIFAR-100: small photographs of a hundred classes."""

from __future__ import annotations

from numba_cnn import nearest
from numba_cnn.datasets import cifar
from numba_cnn.datasets.cifar import Split

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


@nearest.keywords
def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test) as Keras has them: uint8 images (N, 32, 32, 3), labels (N, 1).

    label_mode    "fine" for the 100 classes, "coarse" for their 20 groups

    What Keras has fetched into ~/.keras/datasets is found; else the archive is fetched there. Raises OSError, which
    says what to put where, if it cannot be fetched, ValueError for broken files. Source: Krizhevsky, 2009.
    """
    if not isinstance(label_mode, str) or label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'load_data: label_mode must be "fine" or "coarse". Received: {nearest.shown(label_mode)}'
        )
    train, test = cifar.batches("cifar-100-python", ["train", "test"], _ORIGIN, _SHA256)
    labels = f"{label_mode}_labels"
    return cifar.images([train], labels), cifar.images([test], labels)
