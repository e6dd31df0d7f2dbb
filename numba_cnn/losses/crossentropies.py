"""Cross-entropies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from numba_cnn import formulas, ops
from numba_cnn.losses.by_formula import reduced
from numba_cnn.losses.loss import Loss
from numba_cnn.ops import Array
from numba_cnn.settings import Settings, flag, integer, number, optional

Op = Callable[..., tuple[Array, Array]]


class _Crossentropy(Loss):
    """What the cross-entropies share: they are computed from scores, which is exact where Keras's clip of the
    probabilities at 1e-7 is not, if the model ends in the activation that makes probabilities of them, or gives scores
    itself (from_logits=True).
    """

    _settings: ClassVar[Settings] = {"from_logits": flag}
    _of_scores: ClassVar[Op]
    _of_probabilities: ClassVar[Op]

    def __init__(self, from_logits: bool, name: str) -> None:
        super().__init__(name)
        self.from_logits = from_logits

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        op = self._of_scores if self.from_logits else self._of_probabilities
        return op(y_pred, y_true, sample_weight)

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return self._of_scores(scores, y_true, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}


class SparseCategoricalCrossentropy(_Crossentropy):
    """-log of the probability of the right class, given as an integer.

    >>> loss = nc.losses.SparseCategoricalCrossentropy()
    >>> round(float(loss([1, 0], [[0.5, 0.5], [0.25, 0.75]])), 4)
    1.0397
    """

    activations = ("softmax",)
    has_classes = True
    _settings: ClassVar[Settings] = {"ignore_class": optional(integer(-(2**31)))}
    _of_scores = staticmethod(ops.sparse_categorical_crossentropy)
    _of_probabilities = staticmethod(ops.sparse_categorical_crossentropy_of_probabilities)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(from_logits, name)
        self.ignore_class = ignore_class

    @property
    def on_host(self) -> bool:  # type: ignore[override]
        return self.ignore_class is not None

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        if self.ignore_class is None:
            return super().on_outputs(y_true, y_pred, sample_weight)
        return self._without(y_true, y_pred, sample_weight, self.from_logits)

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        if self.ignore_class is None:
            return super().on_scores(y_true, scores, sample_weight)
        return self._without(y_true, scores, sample_weight, True)

    def _without(
        self, labels: Array, y: Array, weight: Array | None, from_logits: bool
    ) -> tuple[Array, Array]:
        """The mean over the rows whose label is not `ignore_class`."""
        settings = {"from_logits": from_logits, "ignore_class": self.ignore_class}
        formula, ignored = formulas.sparse_categorical_crossentropy, self.ignore_class
        return reduced(self.name, formula, labels, y, weight, settings, ignored)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ignore_class": self.ignore_class}


class _Smoothed(_Crossentropy):
    """Cross-entropies whose targets may be brought nearer to one another."""

    _settings: ClassVar[Settings] = {"label_smoothing": number(0, 1)}

    def __init__(self, from_logits: bool, label_smoothing: float, name: str) -> None:
        super().__init__(from_logits, name)
        self.label_smoothing = label_smoothing

    def _classes(self, y_true: Array) -> int:
        """Between how many classes the targets choose."""
        raise NotImplementedError

    def on_outputs(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return super().on_outputs(self._smoothed(y_true), y_pred, sample_weight)

    def on_scores(
        self, y_true: Array, scores: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        return super().on_scores(self._smoothed(y_true), scores, sample_weight)

    def _smoothed(self, y_true: Array) -> Array:
        """(1 - label_smoothing) * target + label_smoothing / classes; metrics see the targets as they are."""
        if not self.label_smoothing:
            return y_true
        rest = self.label_smoothing / self._classes(y_true)
        return ops.activate(y_true, "affine", scale=1 - self.label_smoothing, offset=rest)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


class CategoricalCrossentropy(_Smoothed):
    """-sum over the classes of target * log(probability), for targets such as one-hot rows."""

    activations = ("softmax",)
    _of_scores = staticmethod(ops.categorical_crossentropy)
    _of_probabilities = staticmethod(ops.categorical_crossentropy_of_probabilities)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name)

    def _classes(self, y_true: Array) -> int:
        return int(y_true.shape[-1])


class BinaryCrossentropy(_Smoothed):
    """-(target * log(p) + (1 - target) * log(1 - p)), the mean over the last axis too."""

    activations = ("sigmoid",)
    _of_scores = staticmethod(ops.binary_crossentropy)
    _of_probabilities = staticmethod(ops.binary_crossentropy_of_probabilities)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name)

    def _classes(self, y_true: Array) -> int:
        return 2
