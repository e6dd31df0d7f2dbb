"""Batches of image files that a table names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from numba_cnn import nearest
from numba_cnn.preprocessing.image.from_files import ENDINGS, FilesIterator, Reading, part_of
from numba_cnn.preprocessing.image.iterators import Order, Saving
from numba_cnn.settings import choice, flag, optional

if TYPE_CHECKING:
    from numba_cnn.preprocessing.image.augmenter import Augmenter

_OP = "flow_from_dataframe"
_OF_CLASSES = "categorical", "binary", "sparse"
_OTHER = "input", "multi_output", "raw"


class DataFrameIterator(FilesIterator):
    """Batches of the image files in a column of a table, which flow_from_dataframe() makes."""

    def __init__(
        self,
        table: Any,
        directory: str | os.PathLike[str] | None,
        generator: Augmenter,
        reading: Reading,
        saving: Saving,
        order: Order,
        columns: tuple[str, Any, str | None],
        classes: Any,
        class_mode: str | None,
        subset: str | None,
        validated: bool,
    ) -> None:
        self._take(reading)
        x_col, y_col, weight_col = columns
        modes = optional(choice(*_OF_CLASSES, *_OTHER))
        mode = nearest.value("class_mode", class_mode, "other", "raw")
        self.class_mode = modes(_OP, "class_mode", mode)
        self.directory = "" if directory is None else os.fspath(directory)
        names = _column(table, "x_col", x_col)
        rows = self._rows(x_col, names, flag(_OP, "validate_filenames", validated))
        targets: Any = None
        if self.class_mode in _OF_CLASSES:
            targets = _column(table, "y_col", y_col, len(names))
            rows = self._classify(rows, targets, classes)
        rows = rows[part_of(_OP, subset, generator, len(rows))]
        self.filenames = [names[row] for row in rows]
        self._labels = self._label(table, rows, targets, y_col)
        self._weights = None
        if weight_col is not None:
            weights = _column(table, "weight_col", weight_col, len(names))
            self._weights = _numbers("weight_col", weights)[rows]
        self._say(validated)
        super().__init__(len(rows), generator, saving, order)

    @property
    def labels(self) -> Any:
        return self._labels

    @property
    def sample_weight(self) -> np.ndarray | None:
        return self._weights

    def _rows(self, x_col: str, names: list[Any], validated: bool) -> list[int]:
        """The rows whose files are there."""
        for name in names:
            if not isinstance(name, str | os.PathLike):
                raise TypeError(
                    f"{_OP}: the column x_col={x_col!r} must hold paths. Received: {nearest.shown(name)}"
                )
        if not validated:
            return list(range(len(names)))
        paths = [os.path.join(self.directory, name) for name in names]
        rows = [
            row
            for row, path in enumerate(paths)
            if path.lower().endswith(ENDINGS) and os.path.isfile(path)
        ]
        if len(rows) < len(names):
            warnings.warn(
                f"{_OP}: {len(names) - len(rows)} of {len(names)} files in x_col={x_col!r} are no image files that are "
                "there, and are left out",
                stacklevel=5,
            )
        return rows

    def _classify(self, rows: list[int], targets: list[Any], classes: Any) -> list[int]:
        """The rows whose classes count; says which number each class has."""
        kinds = (str,) if self.class_mode in ("binary", "sparse") else (str, list, tuple)
        for row in rows:
            if not isinstance(targets[row], kinds):
                raise TypeError(
                    f'{_OP}: class_mode="{self.class_mode}" takes names of classes in y_col, such as '
                    f"df[y_col].astype(str) has. Received: {nearest.shown(targets[row])}"
                )
        named = [_listed(targets[row]) for row in rows]
        names = list(dict.fromkeys(classes or sorted({name for one in named for name in one})))
        if self.class_mode == "binary" and len(names) != 2:
            raise ValueError(
                f'{_OP}: class_mode="binary" takes two classes. Received: {nearest.shown(names)}'
            )
        self.class_indices = {name: label for label, name in enumerate(names)}
        self.num_classes = len(names)
        return [
            row
            for row, one in zip(rows, named, strict=True)
            if any(name in self.class_indices for name in one)
        ]

    def _label(self, table: Any, rows: list[int], targets: Any, y_col: Any) -> Any:
        """What belongs to each of the rows."""
        if self.class_mode in _OF_CLASSES:
            indices = self.class_indices
            self.classes = [
                indices[targets[row]]
                if isinstance(targets[row], str)
                else [indices[name] for name in targets[row] if name in indices]
                for row in rows
            ]
            return self.classes
        if self.class_mode == "multi_output":
            if not isinstance(y_col, list | tuple):
                raise TypeError(
                    f'{_OP}: class_mode="multi_output" takes a list of columns as y_col. '
                    f"Received: {nearest.shown(y_col)}"
                )
            return [_numbers("y_col", _column(table, "y_col", name))[rows] for name in y_col]
        if self.class_mode == "raw":
            if isinstance(y_col, str):
                return _numbers("y_col", _column(table, "y_col", y_col))[rows]
            columns = [_numbers("y_col", _column(table, "y_col", name))[rows] for name in y_col]
            return np.stack(columns, 1)
        return None

    def _say(self, validated: bool) -> None:
        """How many files there are; ValueError for none."""
        what = f"{'validated' if validated else 'non-validated'} image filenames"
        of = f" belonging to {self.num_classes} classes" if self.class_mode in _OF_CLASSES else ""
        print(f"Found {len(self.filenames)} {what}{of}.")
        if not self.filenames:
            raise ValueError(
                f"{_OP}: dataframe must name image files in directory. Received: none that are there, in "
                f"{self.directory or os.getcwd()}"
            )


def _column(table: Any, argument: str, name: Any, n: int | None = None) -> list[Any]:
    """A column of a table, of n rows, as a list."""
    try:
        found = table[name]
    except (KeyError, IndexError, TypeError, ValueError):
        found = None
    if not isinstance(found, Iterable) or isinstance(found, str | bytes):
        raise ValueError(
            f"{_OP}: {argument} must be a column of the dataframe. Received: {nearest.shown(name)}"
        )
    column = list(found)
    if n not in (None, len(column)):
        raise ValueError(
            f"{_OP}: columns must be of one length. Received: {n} and {len(column)} rows"
        )
    return column


def _numbers(argument: str, column: list[Any]) -> np.ndarray:
    found = np.array(column)
    if found.dtype.kind not in "fiub":
        raise TypeError(
            f"{_OP}: the column {argument} must hold numbers. Received: {nearest.shown(column[0])}"
        )
    return found


def _listed(names: Any) -> list[Any]:
    return [names] if isinstance(names, str) else list(names)
