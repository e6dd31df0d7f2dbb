"""Progress, as a callback."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn.callbacks.callback import Callback, Logs
from numba_cnn.progress import Progress


class ProgbarLogger(Callback):
    """Shows progress as fit() does, for training loops of one's own; a fit() that is given one shows no other.

    It reads its params: verbose, epochs and steps, the batches of an epoch, None where nobody knows.
    """

    on_first_rank_only: ClassVar[bool] = True

    def __init__(self) -> None:
        self.verbose: Any = 1
        self.epochs: int | None = 1
        self.target: int | None = None
        self.seen = 0
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = params.get("verbose", self.verbose)
        self.epochs = params.get("epochs", self.epochs)
        self.target = params.get("steps", self.target)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._in_fit = True  # whose validation is silent

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._begin(self.epochs, epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._step(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._end(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._step(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._step(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._end(None)

    def _begin(self, epochs: int | None = None, epoch: int = 0) -> None:
        self.seen = 0
        self._shown = Progress(self.verbose, self.target, epochs)
        self._shown.begin(epoch)

    def _step(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        self._shown.step(self.seen, lambda: logs or {})

    def _end(self, logs: Logs | None) -> None:
        self.target = self.target or self.seen
        self._shown.end(self.target, logs)
