"""What a classifier got right and wrong, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest
from numba_cnn.settings import array


class Classification(NamedTuple):
    """How often each class was taken for which.

    matrix    (classes, classes) of integers: row i, column j counts samples of class i that were called j
    names     of the classes, in the order of their numbers
    """

    matrix: np.ndarray
    names: list[str]

    @property
    def accuracy(self) -> float:
        """The share of samples that were called right."""
        return _share(float(np.trace(self.matrix)), float(self.matrix.sum()))

    @property
    def support(self) -> np.ndarray:
        """How many samples each class has."""
        found: np.ndarray = self.matrix.sum(axis=1)
        return found

    @property
    def precision(self) -> np.ndarray:
        """For each class the share of what was called so that is so; 0 where nothing was called so."""
        return _shares(np.diag(self.matrix), self.matrix.sum(axis=0))

    @property
    def recall(self) -> np.ndarray:
        """For each class the share of its samples that was called so; 0 where it has none."""
        return _shares(np.diag(self.matrix), self.support)

    @property
    def f1(self) -> np.ndarray:
        """For each class the harmonic mean of precision and recall."""
        return _shares(2 * np.diag(self.matrix), self.matrix.sum(axis=0) + self.support)

    def as_dict(self) -> dict[str, Any]:
        """All of it in JSON's words; the means over classes weigh each class the same."""
        columns = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        each = [
            {
                "name": name,
                **{key: float(column[i]) for key, column in columns.items()},
                "support": int(self.support[i]),
            }
            for i, name in enumerate(self.names)
        ]
        return {
            "accuracy": self.accuracy,
            "samples": int(self.matrix.sum()),
            "macro": {key: float(column.mean()) for key, column in columns.items()},
            "classes": each,
            "confusion_matrix": self.matrix.tolist(),
        }


def classified(
    op: str, probabilities: Any, labels: Any, names: Sequence[str] | None = None
) -> Classification:
    """The counts for what a model gave, (N, classes), or (N, 1) of two classes; labels (N,), or one-hot."""
    shares = as_shares(op, probabilities)
    classes = shares.shape[1]
    truth = as_labels(op, labels, len(shares), classes)
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (truth, shares.argmax(1)), 1)
    return Classification(matrix, class_names(names, classes))


def as_shares(op: str, probabilities: Any) -> np.ndarray:
    """(N, classes): one number of each sample is the share of the second of two classes."""
    given = np.asarray(probabilities)
    if given.ndim != 2 or not given.size:
        raise ValueError(
            f"{op}: model must give a number for each class of a sample, (N, classes). "
            f"Received: outputs of shape {given.shape}"
        )
    return np.concatenate([1 - given, given], axis=1) if given.shape[1] == 1 else given


def as_labels(op: str, labels: Any, N: int, classes: int) -> np.ndarray:
    """The number of each sample's class (N,)."""
    given = array(labels)
    if given.ndim == 2 and given.shape[1] == classes > 1:
        given = given.argmax(1)
    given = given.reshape(-1) if given.shape == (N, 1) else given
    right = given.shape == (N,) and given.dtype.kind in "iubf" and (given % 1 == 0).all()
    if not right or (N and not 0 <= given.min() <= given.max() < classes):
        raise ValueError(
            f"{op}: y must be the number of the class of each of the {N} samples, 0 to {classes - 1}. "
            f"Received: {nearest.shown(labels)}"
        )
    return given.astype(np.int64)


def class_names(names: Sequence[str] | None, classes: int) -> list[str]:
    """The names, or numbers where there are none for all."""
    return (
        list(names) if names is not None and len(names) == classes else [*map(str, range(classes))]
    )


def worst(shares: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """The places of at most `count` samples that are called wrong, those that the model is surest of first."""
    said = shares.argmax(1)
    wrong = np.flatnonzero(said != labels)
    sure = shares[wrong, said[wrong]]
    return wrong[np.argsort(-sure, kind="stable")][:count]


def likeliest(shares: np.ndarray, names: Sequence[str], top: int) -> list[dict[str, Any]]:
    """The names and probabilities of the likeliest classes of one sample, (classes,), in JSON's words."""
    order = np.argsort(-shares, kind="stable")[:top]
    return [{"name": names[i], "probability": float(shares[i])} for i in order]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _shares(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return found
