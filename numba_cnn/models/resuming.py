"""Training that was killed and goes on: what a backup holds of the model and of where fit() stands."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn import formats
from numba_cnn.metrics.metric import Averaged
from numba_cnn.models.feeding import Feeder
from numba_cnn.models.sources import Source


class Resumable(Feeder):
    """A model whose fit() may begin in the middle of what another process began."""

    _source: Source | None = None  # of the batches, while fit() runs
    _position = (0, 0)  # the epoch and the batch that fit() begins with

    def _save_backup(self, path: Path, progress: dict[str, Any]) -> None:
        """Write the model's weights and state, and all that the callbacks say."""
        assert self._source is not None
        assert self.optimizer is not None
        rate = self.optimizer.learning_rate if self.optimizer.takes_rate else None
        progress = {
            **progress,
            "seed": self._source.seed,
            "learning_rate": rate,  # files of weights round it
            "means": [_state(mean) for mean in self._all_means()],
        }
        formats.save_backup(path, progress, self, self.optimizer)

    def _load_backup(self, path: Path) -> dict[str, Any]:
        """Take over weights and optimizer state; what else _save_backup() wrote there."""
        progress: dict[str, Any] = formats.load_backup(path, self, self.optimizer)
        return progress

    @contextmanager
    def _backups(self, paths: Sequence[Path]) -> Generator[list[Path], None, None]:
        """The files that there are of those; of several ranks, those of rank 0, which all of them can read inside."""
        ranks = self._ranks
        if ranks is None or ranks.size == 1:
            yield [path for path in paths if path.is_file()]
            return
        found = [path for path in paths if path.is_file()] if ranks.is_first else []
        names = ranks.first_says([path.name for path in found])
        with tempfile.TemporaryDirectory() as folder:
            copies = [Path(folder, name) for name in names]
            for path, copy in zip(found or copies, copies, strict=True):
                data = np.fromfile(path, np.uint8) if ranks.is_first else np.empty(0, np.uint8)
                size = int(ranks.broadcast(np.array([len(data)]))[0])
                copy.write_bytes(ranks.broadcast(np.resize(data, size)).tobytes())
            yield copies

    def _take_up(self, progress: dict[str, Any]) -> None:
        """Stand where _save_backup() was called."""
        assert self._source is not None
        assert self.optimizer is not None
        self._position = progress["epoch"], progress["batch"]
        self._source.seed = progress["seed"]
        if progress["learning_rate"] is not None and self.optimizer.takes_rate:
            self.optimizer.learning_rate = progress["learning_rate"]
        for mean, state in zip(self._all_means(), progress["means"], strict=False):
            known = {key: value for key, value in state.items() if key in vars(mean)}
            vars(mean).update(known)

    def _all_means(self) -> list[Averaged]:
        means = [mean for one in self._objectives for mean in (one.mean, *one.metrics)]
        return [*means, self._penalty]


def _state(mean: Averaged) -> dict[str, Any]:
    """What a metric has counted."""
    state = mean.__getstate__()
    return {
        key: value
        for key, value in state.items()
        if key.startswith("_") and isinstance(value, int | float | np.ndarray | np.generic)
    }
