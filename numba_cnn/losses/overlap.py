"""Losses of how far targets and outputs overlap, by NumPy's formulas."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import formulas
from numba_cnn.losses.by_formula import ByFormula, axes
from numba_cnn.settings import Settings, number

_AXES_OF_SAMPLE = 3  # of images: further ones, counted from the end, go along the batch


def _along_batch(axis: Any) -> bool:
    """Whether sums over the axis, or the axes, go over the samples of a batch too."""
    summed = axis if isinstance(axis, list | tuple) else [axis]
    return any(one is None or one == 0 or one < -_AXES_OF_SAMPLE for one in summed)


class Dice(ByFormula):
    """1 - 2 * sum of t * y / (sum of t + sum of y), over the whole batch, or over `axis`."""

    _settings: ClassVar[Settings] = {"axis": axes}
    _formula = staticmethod(formulas.dice)
    _config = ("axis",)

    def __init__(self, axis: Any = None, name: str = "dice") -> None:
        super().__init__(name)
        self.axis = axis

    @property
    def of_whole_batch(self) -> bool:
        return _along_batch(self.axis)


class Tversky(ByFormula):
    """1 - TP / (TP + alpha * sum of t (1 - y) + beta * sum of y (1 - t)), over the batch, or over `axis`."""

    _settings: ClassVar[Settings] = {"alpha": number(0), "beta": number(0), "axis": axes}
    _formula = staticmethod(formulas.tversky)
    _config = "alpha", "beta", "axis"

    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, axis: Any = None, name: str = "tversky"
    ) -> None:
        super().__init__(name)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    @property
    def of_whole_batch(self) -> bool:
        return _along_batch(self.axis)
