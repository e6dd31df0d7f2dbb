"""Callbacks that set the learning rate, keep a log, or stop a run gone wrong."""

from __future__ import annotations

import csv
import inspect
import math
import os
from collections.abc import Callable
from typing import Any, ClassVar, TextIO

from numba_cnn import files
from numba_cnn.callbacks.callback import Callback, Logs, refuse_schedule, verbosity
from numba_cnn.settings import Settings, flag, function, number, path

_rate = number(0)


class LearningRateScheduler(Callback):
    """Sets each epoch's learning rate to schedule(epoch, learning_rate), or schedule(epoch)."""

    _settings: ClassVar[Settings] = {"schedule": function, "verbose": verbosity}

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        refuse_schedule(type(self).__name__, optimizer)
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

    on_first_rank_only: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {"filename": path, "separator": _separator, "append": flag}

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename, self.separator, self.append = filename, separator, append
        self._file: TextIO | None = None
        self._writer: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.on_train_end()
        # Each row is appended whole, so that another run that logs to the same file garbles none.
        with files.naming(self.filename):
            afresh = 0 if self.append else os.O_TRUNC
            self._file = open(  # noqa: SIM115  (until training ends)
                self.filename,
                "a",
                newline="",
                encoding="utf-8",
                opener=lambda path, flags: os.open(path, flags | afresh, 0o666),
            )
            if self.append and not _ends_a_line(self.filename):
                self._file.write("\r\n")  # the last row was cut off: it must not spoil the next
        self._writer = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the open file."""
        return {**super().__getstate__(), "_file": None, "_writer": None}

    def get_state(self) -> dict[str, Any]:
        """The rows so far."""
        with open(self.filename, newline="", encoding="utf-8") as file:
            return {"text": file.read()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Those rows and no others are in the file."""
        assert self._file is not None
        with files.naming(self.filename):
            self._file.truncate(0)
            self._file.write(state["text"])
            self._file.flush()

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
            if os.fstat(self._file.fileno()).st_size == 0:
                self._writer.writeheader()
        with files.naming(self.filename):
            self._writer.writerow({"epoch": epoch, **logs})
            self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            with files.naming(self.filename):
                self._file.close()


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


def _ends_a_line(path: str | os.PathLike[str]) -> bool:
    """Whether the next character of this file begins a line."""
    if not (os.path.isfile(path) and os.path.getsize(path)):
        return True
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    return True
