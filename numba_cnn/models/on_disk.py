"""Arrays in files, such as HDF5 datasets, of which rows are read when they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np

_SPREAD = 4  # rows are read as one slice if it holds at most so many times as many of them


class OnDisk:
    """The rows start..stop of an array that lies in a file, read as NumPy arrays."""

    def __init__(self, array: Any, start: int = 0, stop: int | None = None) -> None:
        self._array, self._start = array, start
        length = (array.shape[0] if stop is None else stop) - start
        self.shape: tuple[int, ...] = (length, *array.shape[1:])
        self.dtype = np.dtype(array.dtype)
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def part(self, which: slice) -> OnDisk:
        """Some rows side by side; nothing is read."""
        start, stop, _ = which.indices(len(self))
        return OnDisk(self._array, self._start + start, self._start + stop)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The rows of a slice, of an array of numbers, or one."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            return self._read(slice(start, stop))[::step]
        if np.ndim(rows) == 0:
            found: np.ndarray = self._read(slice(int(rows), int(rows) + 1))[0]
            return found
        places, back = np.unique(np.asarray(rows), return_inverse=True)
        first, last = int(places[0]), int(places[-1])
        if last - first < _SPREAD * len(places):
            near: np.ndarray = self._read(slice(first, last + 1))[np.asarray(rows) - first]
            return near
        return np.stack([self[int(place)] for place in places])[back]

    def _read(self, rows: slice) -> np.ndarray:
        found: np.ndarray = np.asarray(
            self._array[self._start + rows.start : self._start + rows.stop]
        )
        return found


def is_on_disk(value: Any) -> bool:
    """Whether a value is an array of another library that is kept in pieces, as HDF5 datasets are."""
    known = isinstance(value, np.ndarray) or not hasattr(value, "chunks")
    return not known and hasattr(value, "shape") and hasattr(value, "dtype") and bool(value.shape)
