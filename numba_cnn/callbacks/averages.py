"""The callback that tests a model with the moving averages of its weights."""

from __future__ import annotations

from typing import ClassVar

from numba_cnn.callbacks.callback import Callback, Logs
from numba_cnn.settings import Settings, flag


class SwapEMAWeights(Callback):
    """Exchanges the weights with their moving averages while the model is tested or predicts.

    swap_on_epoch    whether they are exchanged from the end of each epoch to the begin of the next, too, for callbacks
                     behind this one in the list, such as ModelCheckpoint

    The optimizer keeps averages if it is made with use_ema=True; ValueError for another one.
    """

    _settings: ClassVar[Settings] = {"swap_on_epoch": flag}
    _learned: ClassVar[tuple[str, ...]] = ("_swapped",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch

    @property
    def _swapped(self) -> bool:
        """Whether the model has the averages now."""
        swapped: bool = self.model.optimizer.swapped
        return swapped

    @_swapped.setter
    def _swapped(self, value: bool) -> None:
        self.model.optimizer.swapped = value

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._swap(False)

    def _swap(self, averages: bool) -> None:
        """Have the model hold the averages, or the weights."""
        optimizer = self.model.optimizer
        if optimizer is None or not optimizer.use_ema:
            raise ValueError(
                "SwapEMAWeights: compile with an optimizer that has use_ema=True. "
                f"Received: {'no optimizer' if optimizer is None else optimizer.name}"
            )
        if averages != optimizer.swapped and optimizer.built:
            optimizer.swap_averages(self.model.trainable_weights)
