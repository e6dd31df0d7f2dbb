"""A run's folder while it is trained: its options, its history, where it stands."""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from numba_cnn import files
from numba_cnn.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LearningRateScheduler,
)
from numba_cnn.commands import configuration, networks

_BACKUP = "backup"
_CONFIG = "config.toml"
_MODEL = "model.keras"
_OWN = "run", "resume", "config", "force"  # what says how the command was called, not what it does

# The share of the learning rate at a share of the epochs.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "constant": lambda done: 1.0,
}


class Stopped(KeyboardInterrupt):
    """Ctrl-C, after a step was done and the backup was written."""


def options(arguments: argparse.Namespace) -> argparse.Namespace:
    """What is asked for, or what the run to go on with was asked for."""
    if arguments.resume is not None:
        return resumed(arguments.resume)
    if not arguments.force:
        _check_free(Path(arguments.out))
    return arguments


def _check_free(out: Path) -> None:
    """Raise a ValueError where another run, done or not, has left its files."""
    if any((out / name).exists() for name in (_CONFIG, _MODEL)):
        raise ValueError(
            f"there is a run in that folder: go on with it by --resume {out}, take another --out, or overwrite it by "
            f"--force. Received: --out {out}"
        )


def begin(out: Path, arguments: argparse.Namespace) -> None:
    """Write down the options; what an earlier run in the folder left of its training is gone, unless this is that.

    Paths are written from the root: the run is gone on with from any folder.
    """
    values = {key: value for key, value in vars(arguments).items() if key not in _OWN}
    data, model = values["data"], values["model"]
    if os.path.isdir(data) or Path(data).suffix == ".npz":  # and not the name of a set
        values["data"] = os.path.abspath(data)
    if model not in networks.NAMES:
        values["model"] = os.path.abspath(model)
    report = values.pop("report")
    configuration.write_toml(
        out / _CONFIG, values | ({} if report else {"no-report": True}), "numba-cnn train --config"
    )
    if not arguments.resume:
        shutil.rmtree(out / _BACKUP, ignore_errors=True)


def resumed(folder: str) -> argparse.Namespace:
    """The options of the run in that folder. Raises ValueError where there is none."""
    from numba_cnn.commands import parser

    home = Path(folder)
    config = home / _CONFIG
    if not config.is_file():
        raise ValueError(f"--resume: expected a run's folder, with {_CONFIG}. Received: {folder}")
    arguments = parser(["train", "--config", str(config)]).parse_args(["train"])
    arguments.out, arguments.resume = folder, folder
    return arguments


def callbacks(arguments: argparse.Namespace, out: Path, validates: bool) -> list[Callback]:
    """What a run needs: its learning rate, its end, its history, its backup."""
    schedule = SCHEDULES[arguments.schedule]

    def rate(epoch: int) -> float:
        return float(arguments.learning_rate * schedule(epoch / arguments.epochs))

    backup = BackupAndRestore(out / _BACKUP, delete_checkpoint=False)
    found: list[Callback] = [
        LearningRateScheduler(rate),
        HistoryFile(out / "history.csv"),
        backup,
        StopAfterStep(backup),
    ]
    if arguments.patience is not None:
        monitor = "val_loss" if validates else "loss"
        found.append(EarlyStopping(monitor, patience=arguments.patience, restore_best_weights=True))
    return found


class HistoryFile(Callback):
    """Writes all epochs' values to a CSV file after each."""

    on_first_rank_only: ClassVar[bool] = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        before = self.model.history.history
        values = {name: [*before.get(name, []), value] for name, value in (logs or {}).items()}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *values])
        for i, row in enumerate(zip(*values.values(), strict=False)):
            writer.writerow([i, *row])
        with files.replacing(self.path) as file:
            file.write(text.getvalue().encode())


class StopAfterStep(Callback):
    """Ctrl-C once: the backup is written before the next step, and training stops; twice: at once."""

    def __init__(self, backup: BackupAndRestore) -> None:
        self._backup, self._asked, self._epoch = backup, False, 0
        self._before: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._before = signal.getsignal(signal.SIGINT)
        if callable(self._before):  # not where Ctrl-C is ignored
            signal.signal(signal.SIGINT, self._ask)

    def on_train_end(self, logs: Any = None) -> None:
        self._restore()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._asked:
            self._backup._save(self._epoch, batch)
            raise Stopped(f"stopped in epoch {self._epoch + 1}, before batch {batch + 1}")

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()

    def _restore(self) -> None:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._before)
