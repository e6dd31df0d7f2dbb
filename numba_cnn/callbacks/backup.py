"""The callback that lets a run that was killed go on."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from numba_cnn.callbacks.callback import Callback, Logs
from numba_cnn.settings import Settings, flag, integer, path

_NAME = "latest.backup"
_PREVIOUS = f"{_NAME}.bkp"


def _frequency(owner: str, name: str, value: Any) -> str | int:
    """ "epoch" or a number of batches."""
    if isinstance(value, str) and value == "epoch":
        return value
    try:
        return integer(1)(owner, name, value)  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{owner}: {name} must be "epoch" or a number of batches. Received: {value!r:.80}'
        ) from error


class BackupAndRestore(Callback):
    """Saves how far training is; a run that was killed and is started again goes on from there, with the same bits.

    backup_dir           the folder of the backups, of this run alone
    save_freq            "epoch", or a number of batches from save to save
    double_checkpoint    whether the backup before the last is kept too, for a last one that cannot be read
    delete_checkpoint    whether the backups are deleted when training ends

    A backup holds weights, the optimizer's state, the seeds of layers of chance and of the batches' order, the means of
    the epoch so far, the history, and what other callbacks know (their get_state()). It is written when all other
    callbacks have been called, wherever this one is in their list. The history has the epochs before, too. A generator
    begins anew: what gives the same batches again must be arrays, or an object with a length and items.

    Raises ValueError, when training begins, for a model that is not built, and for a backup that is broken.
    """

    runs_last: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {
        "backup_dir": path,
        "save_freq": _frequency,
        "double_checkpoint": flag,
        "delete_checkpoint": flag,
    }

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        self.backup_dir, self.save_freq = backup_dir, save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._others: list[Callback] = []
        self._progress: dict[str, Any] | None = None  # of an epoch that is taken up in its middle
        self._epoch = self._batches = 0
        if save_freq != "epoch":  # only then, since a batch hook has every step's loss read
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_others": [], "_progress": None}

    def set_others(self, callbacks: list[Callback]) -> None:
        self._others = [callback for callback in callbacks if callback is not self]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: build the model before fit, or put an Input first. "
                f"Received: unbuilt {self.model.name}"
            )
        self._batches, self._progress = 0, self._loaded()
        if self._progress is not None:
            self._batches = self._progress["batches"]
            self._give(self._progress)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        if self._progress is not None and self._progress["batch"]:
            self._give(self._progress)  # what has begun before is not to begin anew
        self._progress = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and self.model._is_first:
            for name in (_NAME, _PREVIOUS):
                self._path(name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others' files are in it
                os.rmdir(self.backup_dir)

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, batch + 1)

    def _path(self, name: str) -> Path:
        return Path(self.backup_dir, name)

    def _save(self, epoch: int, batch: int) -> None:
        if self.model.stop_training or not self.model._is_first:
            return  # it ends now; killed before, it repeats what made it stop
        progress = {"epoch": epoch, "batch": batch, "batches": self._batches}
        states = {name: callback.get_state() for name, callback in self._named().items()}
        target = self._path(_NAME)
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and target.is_file():
            os.replace(target, self._path(_PREVIOUS))
        self.model._save_backup(target, {**progress, "callbacks": states})

    def _loaded(self) -> dict[str, Any] | None:
        """What the last backup that can be read says, or None; the model has taken over its weights."""
        with self.model._backups([self._path(_NAME), self._path(_PREVIOUS)]) as found:
            for last, backup in enumerate(found, start=1 - len(found)):
                try:
                    progress: dict[str, Any] = self.model._load_backup(backup)
                    return progress
                except (OSError, ValueError) as error:
                    if not last:
                        raise
                    text = f"BackupAndRestore: {error}; the one before is taken"
                    warnings.warn(text, stacklevel=2)
        return None

    def _give(self, progress: dict[str, Any]) -> None:
        """Have the model and the other callbacks stand where they stood."""
        self.model._take_up(progress)
        for name, callback in self._named().items():
            if name in progress["callbacks"]:
                callback.set_state(progress["callbacks"][name])

    def _named(self) -> dict[str, Callback]:
        """The others by class and number, so that they are known again."""
        seen: Counter[str] = Counter()
        named = {}
        for callback in self._others:
            name = type(callback).__name__
            named[f"{name}_{seen[name]}"] = callback
            seen[name] += 1
        return named
