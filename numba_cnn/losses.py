"""Losses: what training makes small."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import nearest, ops, registry
from numba_cnn.ops import Array
from numba_cnn.settings import Checked, Settings, flag, text

__all__ = ["SparseCategoricalCrossentropy", "get"]


class SparseCategoricalCrossentropy(Checked):
    """-log of the probability of the right class, given as an integer; the mean over the batch.

    A model that ends in a softmax gives probabilities, and the loss is computed from the logits
    before it (ops.sparse_categorical_crossentropy), which is exact where Keras's clip of the
    probabilities at 1e-7 is not. A model without a softmax gives logits: say so with
    from_logits=True.
    """

    inert: ClassVar[dict[str, tuple[Any, ...]]] = {
        "reduction": ("sum_over_batch_size",),
        "axis": (-1,),
        "dtype": ("float32",),
    }

    _settings: ClassVar[Settings] = {"from_logits": flag, "name": text}

    def __init__(
        self, from_logits: bool = False, name: str = "sparse_categorical_crossentropy"
    ) -> None:
        self.from_logits = from_logits
        self.name = name

    def __call__(
        self, logits: Array, labels: Array, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """(loss, dlogits), where they were computed."""
        return ops.sparse_categorical_crossentropy(logits, labels, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"from_logits": self.from_logits, "name": self.name}


_NAMES = {"sparse_categorical_crossentropy": SparseCategoricalCrossentropy}


@nearest.keywords
def get(identifier: Any) -> SparseCategoricalCrossentropy:
    """A loss by name ("sparse_categorical_crossentropy"), class, object or Keras configuration."""
    loss: SparseCategoricalCrossentropy = registry.get("loss", identifier, _NAMES)
    return loss


__getattr__ = nearest.attributes(__name__, __all__)
