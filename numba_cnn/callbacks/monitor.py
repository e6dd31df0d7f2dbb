"""Callbacks that watch whether one logged value still improves."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np

from numba_cnn import nearest
from numba_cnn.callbacks.callback import Callback, Logs, refuse_schedule, verbosity
from numba_cnn.settings import Settings, choice, flag, integer, number, optional, text


class Monitor(Callback):
    """Keeps the best value of `monitor` so far.

    mode    "min", "max", or "auto": a loss improves downwards, a metric the way it says

    The first value counts as an improvement, a later one if it beats the best by more than
    min_delta.
    """

    _settings: ClassVar[Settings] = {
        "monitor": text,
        "mode": choice("auto", "min", "max"),
        "min_delta": number(),
    }

    def __init__(
        self, monitor: str, mode: str, min_delta: float = 0.0, best: float | None = None
    ) -> None:
        self.monitor, self.mode, self.min_delta, self.best = monitor, mode, min_delta, best

    def value(self, logs: Logs | None) -> float | None:
        """The monitored value, or None and a warning."""
        logs = logs or {}
        self.monitor = nearest.logged(self.monitor, logs)
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__}: nothing is logged as {self.monitor!r}. "
                f"Received: {', '.join(logs)}",
                stacklevel=2,
            )
        return logs.get(self.monitor)

    def improves(self, value: float, best: float | None) -> bool:
        upwards = self._direction() == "max"
        if best is None:
            return True
        delta = abs(self.min_delta)
        return value - delta > best if upwards else value + delta < best

    def _direction(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        means = self.model.means
        directions = {"loss": "min"} | {name: mean.direction for name, mean in means.items()}
        if name not in directions:
            raise ValueError(
                f'{type(self).__name__}: say with mode="min" or mode="max" which way '
                f"{self.monitor!r} improves. "
                f'Received: mode "auto"'
            )
        return str(directions[name])


class EarlyStopping(Monitor):
    """Stops after `patience` epochs without improvement; can bring the best weights back."""

    _settings: ClassVar[Settings] = {
        "patience": integer(0),
        "verbose": verbosity,
        "baseline": optional(number()),
        "restore_best_weights": flag,
        "start_from_epoch": integer(0),
    }

    _learned: ClassVar[tuple[str, ...]] = (
        "wait",
        "stopped_epoch",
        "best_epoch",
        "best",
        "best_weights",
    )

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._start()

    def _start(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = None, None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._start()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            # Weights that are not finite are refused from callers; training may have ended there.
            for parameter, array in zip(self.model.weights, self.best_weights, strict=True):
                parameter.value = array.copy()


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement."""

    _settings: ClassVar[Settings] = {
        "factor": number(0, below=1),
        "patience": integer(0),
        "verbose": verbosity,
        "cooldown": integer(0),
        "min_lr": number(0),
    }

    _learned: ClassVar[tuple[str, ...]] = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        refuse_schedule(type(self).__name__, self.model.optimizer)
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.value(logs)
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
        if value is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        if optimizer.learning_rate > np.float32(self.min_lr):
            optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
            self.cooldown_counter, self.wait = self.cooldown, 0
            if self.verbose:
                print(
                    f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                    f"{optimizer.learning_rate}."
                )
