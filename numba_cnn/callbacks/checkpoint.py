"""The callback that saves models while they train."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any, ClassVar

from numba_cnn import nearest
from numba_cnn.callbacks.callback import Logs, verbosity
from numba_cnn.callbacks.monitor import Monitor
from numba_cnn.settings import Settings, flag, number, optional, path

_threshold = optional(number())


def _fields(filepath: str) -> list[str]:
    """The names in braces."""
    return [field for _, field, _, _ in string.Formatter().parse(filepath) if field is not None]


def _template(owner: str, name: str, value: Any) -> str:
    """A path; ValueError for braces that no logged values can fill."""
    filepath: str = path(owner, name, value)
    try:
        names = _fields(filepath)
        wrong = [field for field in names if not field.isidentifier()]
        if not wrong:
            filepath.format(**{field: 1 if field in ("epoch", "batch") else 1.0 for field in names})
            return filepath
    except ValueError as error:
        wrong = [str(error)]
    raise ValueError(
        f"{owner}: {name}'s braces must hold names of what is logged, such as {{epoch}}; a brace of the "
        f"path itself is written twice. Received: {wrong[0]!r} in {filepath!r}"
    )


def _frequency(owner: str, name: str, value: Any) -> str | int:
    if isinstance(value, str) and _epochs_of(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f'{owner}: {name} must be "epoch", such as "5 epochs", or a number of batches. '
            f"Received: {value!r:.80}"
        )
    return value


def _epochs_of(frequency: str | int) -> int:
    """How many epochs lie from save to save; 0 where batches count."""
    if frequency == "epoch":
        return 1
    number, _, word = str(frequency).partition(" ")
    return int(number) if word == "epochs" and number.isdecimal() else 0


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights: after every epoch, every so many ("5 epochs"), or a number of batches.

    filepath may hold {epoch} and the logged names, as in "{epoch:02d}-{val_loss:.2f}.keras"; a brace of
    the path itself is written twice.
    """

    on_first_rank_only: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {
        "filepath": _template,
        "verbose": verbosity,
        "save_best_only": flag,
        "save_weights_only": flag,
        "save_freq": _frequency,
    }
    _learned: ClassVar[tuple[str, ...]] = ("best", "_epoch", "_batches")

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
        threshold = _threshold(
            type(self).__name__, "initial_value_threshold", initial_value_threshold
        )
        super().__init__(monitor, mode, best=threshold)
        self.filepath: str = filepath  # type: ignore[assignment]
        self.verbose, self.save_best_only = verbose, save_best_only
        self.save_weights_only, self.save_freq = save_weights_only, save_freq
        self._epoch = self._batches = 0
        if not _epochs_of(save_freq):  # only then, since a batch hook has every step's loss read
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        every = _epochs_of(self.save_freq)
        if every and (epoch + 1) % every == 0:
            self._save(logs or {})

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if not _epochs_of(self.save_freq) and self._batches % int(self.save_freq) == 0:
            self._save({**(logs or {}), "batch": batch + 1})

    def _save(self, logs: Logs) -> None:
        values = nearest.Logged({"epoch": self._epoch + 1, **logs})
        for field in _fields(self.filepath):
            if nearest.logged(field, values) not in values:
                raise ValueError(
                    f"ModelCheckpoint: filepath names {field!r}, which is not logged"
                    f"{nearest.hint(field, values, '')}; a brace of the path itself is written twice. "
                    f"Received: {', '.join(values)}"
                )
        target = Path(self.filepath.format_map(values))
        if self.save_best_only:
            value = self.value(logs)
            if value is not None and not self.improves(value, self.best):
                self._say(f"{self.monitor} did not improve from {self.best:.5f}")
                return
            if value is not None:
                best = "None" if self.best is None else f"{self.best:.5f}"
                self._say(
                    f"{self.monitor} improved from {best} to {value:.5f}, saving model to {target}"
                )
        else:
            value = None
            self._say(f"saving model to {target}")
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(target)
        if value is not None:
            self.best = value  # now that it is saved

    def _say(self, message: str) -> None:
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: {message}")
