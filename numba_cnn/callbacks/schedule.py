"""Callbacks that set the learning rate, keep a log, or stop a run gone wrong."""

from __future__ import annotations

import csv
import inspect
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TextIO

from numba_cnn.callbacks.callback import Callback, Logs, verbosity
from numba_cnn.settings import Settings, flag, function, number, path

_rate = number(0)


class LearningRateScheduler(Callback):
    """Sets each epoch's learning rate to schedule(epoch, learning_rate), or schedule(epoch)."""

    _settings: ClassVar[Settings] = {"schedule": function, "verbose": verbosity}

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        rate = (
            self.schedule(epoch, optimizer.learning_rate)
            if _takes_two(self.schedule)
            else self.schedule(epoch)
        )
        optimizer.learning_rate = _rate(type(self).__name__, "what schedule returns", rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


def _separator(owner: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '\r\n"':
        raise ValueError(f"{owner}: {name} must be one character. Received: {value!r:.80}")
    return value


class CSVLogger(Callback):
    """A line per epoch: its number, from 0, and what is logged; append=True goes on with a file."""

    _settings: ClassVar[Settings] = {"filename": path, "separator": _separator, "append": flag}

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename, self.separator, self.append = filename, separator, append
        self._file: TextIO | None = None
        self._writer: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        path = Path(self.filename)
        self._file = path.open("a" if self.append else "w", newline="", encoding="utf-8")
        self._writer = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the open file."""
        return {**super().__getstate__(), "_file": None, "_writer": None}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self._file is not None
        logs = logs or {}
        if self._writer is None:
            names = sorted(logs)
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]  # validation may come in a later epoch
            self._writer = csv.DictWriter(
                self._file,
                ["epoch", *names],
                restval="NA",
                extrasaction="ignore",
                delimiter=self.separator,
            )
            if self._file.tell() == 0:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    return True
