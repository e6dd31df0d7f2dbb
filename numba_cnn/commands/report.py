"""numba-cnn report."""

from __future__ import annotations

import argparse
from pathlib import Path

from numba_cnn.commands import arguments as common
from numba_cnn.commands import reporting

HELP = """write report.html on a saved model: results, mistakes, where it looks, times

It is one file that needs no network, as train leaves it behind. Needs the
extra "plots".

example:
  numba-cnn report model.keras --data photos --out photos.html"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_model(parser)
    parser.add_argument("--out", metavar="FILE", help="default: report.html beside the model")
    common.add_data(parser, None)
    common.add_machine(parser)


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import reports
    from numba_cnn.reports.history import read_history

    reporting.need_drawing("report")
    common.set_threads(arguments)
    model = common.load(arguments)
    home = common.model_file(arguments.model).parent
    data = common.data_of(arguments, model)
    if model.class_names is None and data.class_names is not None:
        model.class_names = data.class_names
    results = reporting.results_of(model, data.test, arguments.batch_size, data.class_names)
    history = home / "history.csv"
    target = Path(arguments.out) if arguments.out else home / "report.html"
    settings = common.run_settings(arguments.model) or {"data": arguments.data}
    past = read_history(history) if history.is_file() else None
    reports.write(target, model, results, history=past, settings=settings)
    print(f"Saved {target}")
    return None
