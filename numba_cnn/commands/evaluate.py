"""numba-cnn evaluate."""

from __future__ import annotations

import argparse

from numba_cnn.commands import arguments as common
from numba_cnn.commands import reporting

HELP = """test a saved model: each class's precision, recall and F1, who is taken for whom, the worst mistakes

examples:
  numba-cnn evaluate out
  numba-cnn evaluate out/model.keras --data photos --mistakes 20
  numba-cnn evaluate out --json | jq .macro.f1"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_model(parser)
    common.add_data(parser, None)
    parser.add_argument(
        "--mistakes", type=int, default=5, metavar="N", help="how many to list; default: 5"
    )
    parser.add_argument("--json", action="store_true", help="all of it as JSON")
    common.add_machine(parser)


def run(arguments: argparse.Namespace) -> int | None:
    model = common.load(arguments)
    common.distribute(model, arguments)
    data = common.data_of(arguments, model)
    names = data.class_names or model.class_names
    results = reporting.results_of(
        model, data.test, arguments.batch_size, names, int(not arguments.json)
    )
    worst = reporting.mistakes(results, arguments.mistakes)
    if arguments.json:
        reporting.print_json({**results.logs, **results.counts.as_dict(), "mistakes": worst})
        return None
    if worst:
        print("\nsurest mistakes:")
    for one in worst:
        print(f"{one['probability']:.4f} {one['called']}, is {one['true']}: {one['image']}")
    reporting.show(results)
    return None
