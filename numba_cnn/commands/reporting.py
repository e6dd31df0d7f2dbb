"""A model's results on images, as text for terminals of any width, and as JSON."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numba_cnn.classification import Classification

if TYPE_CHECKING:
    from numba_cnn.commands.data import Part
    from numba_cnn.reports import Results

_MOST = 20  # classes up to which the confusion matrix is printed


def results_of(
    model: Any, part: Part, batch_size: int, names: Sequence[str] | None, verbose: int = 1
) -> Results:
    """What the model gives for a part of the data."""
    from numba_cnn.reports.results import results_from

    given = part.fit_arguments
    size = batch_size if "y" in given else None
    how = {"batch_size": size, "verbose": verbose, "class_names": names}
    return results_from(model, given, part.y, part.names, part.images, **how)


def show(results: Results) -> None:
    """Print a table of classes and the confusion matrix, where the terminal has room, and the means."""
    width = shutil.get_terminal_size((80, 24)).columns
    counts = results.counts
    room = max(width - 4 * 10, 12)
    longest = min(max(map(len, [*counts.names, "class"])), room)
    print(f"\n{'class':{longest}} {'precision':>9} {'recall':>9} {'F1':>9} {'samples':>8}")
    for i, name in enumerate(counts.names):
        numbers = (counts.precision[i], counts.recall[i], counts.f1[i])
        values = " ".join(f"{value:9.4f}" for value in numbers)
        print(f"{_cut(name, longest)} {values} {counts.support[i]:8d}")
    _show_matrix(counts, width)
    values = ", ".join(f"{name} {value:.4f}" for name, value in results.logs.items())
    print(f"\nTest on {len(results.labels)} images: {values}")


def _show_matrix(counts: Classification, width: int) -> None:
    """The counts, rows what is true, columns what is said, numbered where names have no room."""
    classes = len(counts.names)
    cell = max(len(str(counts.matrix.max(initial=0))), len(str(classes - 1))) + 1
    longest = min(max(map(len, counts.names)), max(width - 6 - cell * classes, 4))
    if classes > _MOST or longest + 5 + cell * classes > width:
        return
    print("\nrows: true class; columns: called")
    print(" " * (longest + 5) + "".join(f"{i:{cell}d}" for i in range(classes)))
    for i, (name, row) in enumerate(zip(counts.names, counts.matrix, strict=True)):
        cells = "".join(f"{n or '.':>{cell}}" for n in row.tolist())
        print(f"{_cut(name, longest)} {i:3d} {cells}")


def _cut(text: str, width: int) -> str:
    """The text in exactly so many characters."""
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def mistakes(results: Results, count: int) -> list[dict[str, Any]]:
    """The worst mistakes in JSON's words."""
    names = results.counts.names
    found = []
    for place in results.worst(count):
        said = int(results.shares[place].argmax())
        found.append(
            {
                "image": results.names[place],
                "true": names[results.labels[place]],
                "called": names[said],
                "probability": float(results.shares[place, said]),
            }
        )
    return found


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def need_drawing(what: str) -> None:
    """Raise an ImportError that names the extra where Matplotlib is not installed, before anything takes long."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError(
            f'{what} needs Matplotlib: pip install "numba-cnn[plots]". Received: none'
        )


def can_draw() -> bool:
    """Whether Matplotlib is installed; if not, say what is left out."""
    found = importlib.util.find_spec("matplotlib") is not None
    if not found:
        print('No report.html: it needs Matplotlib, pip install "numba-cnn[plots]"')
    return found
