"""Callbacks that watch whether one logged value still improves."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from numba_cnn.callbacks.callback import Callback, Logs


class Monitor(Callback):
    """Keeps the best value of `monitor` so far.

    mode    "min", "max", or "auto": a loss improves downwards, a metric the way it says

    The first value counts as an improvement, a later one if it beats the best by more than
    min_delta.
    """

    def __init__(
        self, monitor: str, mode: str, min_delta: float = 0.0, best: float | None = None
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f'{type(self).__name__}: mode must be "auto", "min" or "max". Received: {mode!r}'
            )
        self.monitor, self.mode, self.min_delta, self.best = monitor, mode, abs(min_delta), best

    def value(self, logs: Logs | None) -> float | None:
        """The monitored value, or None and a warning."""
        logs = logs or {}
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
        return value - self.min_delta > best if upwards else value + self.min_delta < best

    def _direction(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        directions = {"loss": "min"}
        directions |= {metric.name: metric.direction for metric in self.model.metrics}
        if name not in directions:
            raise ValueError(
                f'{type(self).__name__}: say with mode="min" or mode="max" which way '
                f"{self.monitor!r} improves. "
                f'Received: mode "auto"'
            )
        return directions[name]


class EarlyStopping(Monitor):
    """Stops after `patience` epochs without improvement; can bring the best weights back."""

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
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement."""

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
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1. Received: {factor!r}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
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


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, after every epoch or every `save_freq` batches.

    filepath may hold {epoch} and the logged names, as in "{epoch:02d}-{val_loss:.2f}.keras".
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only = verbose, save_best_only
        self.save_weights_only, self.save_freq = save_weights_only, save_freq
        suffix = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(suffix):
            raise ValueError(
                f"ModelCheckpoint: filepath must end in {suffix}. Received: {self.filepath!r}"
            )
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                'ModelCheckpoint: save_freq must be "epoch" or a number of batches. '
                f"Received: {save_freq!r}"
            )
        self._epoch = self._batches = 0
        if save_freq != "epoch":  # only then, since a batch hook has every step's loss read
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs or {})

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save({**(logs or {}), "batch": batch + 1})

    def _save(self, logs: Logs) -> None:
        try:
            path = Path(self.filepath.format(**{"epoch": self._epoch + 1, **logs}))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath names {error}, which is not logged. "
                f"Received: {', '.join(logs)}"
            ) from error
        if self.save_best_only:
            value = self.value(logs)
            if value is not None and not self.improves(value, self.best):
                self._say(f"{self.monitor} did not improve from {self.best:.5f}")
                return
            if value is not None:
                best = "None" if self.best is None else f"{self.best:.5f}"
                self._say(
                    f"{self.monitor} improved from {best} to {value:.5f}, saving model to {path}"
                )
        else:
            value = None
            self._say(f"saving model to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if value is not None:
            self.best = value  # now that it is saved

    def _say(self, message: str) -> None:
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: {message}")
