"""numba-cnn bench."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba_cnn import files
from numba_cnn.commands import arguments as common

if TYPE_CHECKING:
    from numba_cnn.reports import measuring

HELP = """measure this machine and a model on it, beside the last run

It prints the rate of the fastest product of matrices, the bandwidth of a
copy, the time of inference and of a training step, and each layer's time and
share. What it measured is kept, and compared with when it is called for the
same model, batch and threads again.

example:
  numba-cnn bench out --batch-size 1 --threads 1"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_measured(parser)
    parser.add_argument(
        "--save", metavar="FILE", help="where measurements are kept; default: in the user's cache"
    )
    parser.add_argument("--json", action="store_true", help="all of it as JSON")


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import backends, models
    from numba_cnn.commands import reporting
    from numba_cnn.reports import measuring

    common.set_threads(arguments)
    if arguments.model is None:
        model: Any = models.tutorial_cnn()
        model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    else:
        arguments.backend = "cpu"
        model = common.load(arguments)
    peak, rows = measuring.peak(), measuring.layers(model, arguments.batch_size)
    found: dict[str, Any] = {
        "threads": backends.get("cpu").get_num_threads(),
        "GFLOP/s": peak / 1e9,
        "GB/s": measuring.bandwidth() / 1e9,
        **{
            f"{name}, ms": s * 1e3
            for name, s in measuring.whole(model, arguments.batch_size).items()
        },
    }
    path = Path(arguments.save) if arguments.save else _cache()
    key = (
        f"{arguments.model or 'tutorial'}, batch {arguments.batch_size}, threads {found['threads']}"
    )
    kept = _kept(path)
    if arguments.json:
        each = [{"layer": r.name, "ms": r.seconds * 1e3, "MFLOP": r.flop / 1e6} for r in rows]
        reporting.print_json({**found, "layers": each, "before": kept.get(key)})
    else:
        _show(found, rows, kept.get(key, {}), peak)
    kept[key] = found
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as file:
        file.write(json.dumps(kept, indent=1).encode())
    return None


def _show(found: dict[str, Any], rows: list[measuring.Row], before: Any, peak: float) -> None:
    from numba_cnn.commands import explain

    print(f"{'':24} {'now':>10} {'last run':>10} {'ratio':>7}")
    for name, value in found.items():
        number = f"{value:10d}" if isinstance(value, int) else f"{value:10.3f}"
        last = before.get(name) if isinstance(before, dict) else None
        beside = ""
        if isinstance(last, int | float) and last > 0 and not isinstance(value, int):
            beside = f" {last:10.3f} {value / last:7.2f}"
        print(f"{name:24} {number}{beside}")
    print()
    explain.show_rows(rows, peak, {})


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home, "numba_cnn", "bench.json")


def _kept(path: Path) -> dict[str, Any]:
    """What was measured before, by model, batch and threads; nothing of a file that says something else."""
    try:
        with files.open_regular(path) as file:
            kept = json.loads(file.read(2**20))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
