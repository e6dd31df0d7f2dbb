"""The history of a run, read back from its file."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from numba_cnn import files

_MOST = 2**24  # bytes


def read_history(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """A list of each epoch's numbers by name, as history.csv has them. Raises ValueError for a file that is none."""
    with files.reading("cannot read the history", path), files.open_regular(Path(path)) as file:
        if files.size(file) > _MOST:
            raise ValueError(f"a history has {_MOST} bytes at most")
        rows = list(csv.reader(file.read().decode().splitlines()))
        if len(rows) < 2 or rows[0][:1] != ["epoch"]:
            raise ValueError(
                "expected a line of names, the first of them epoch, and a line for each epoch"
            )
        names, *values = rows
        columns = zip(*values, strict=True)
        return {
            name: [*map(float, column)]
            for name, column in zip(names, columns, strict=True)
            if name != "epoch"
        }
