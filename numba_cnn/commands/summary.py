"""numba-cnn summary."""

from __future__ import annotations

import argparse

from numba_cnn.commands import arguments as common

HELP = "print a model's layers"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help=f"{common.MODEL_HELP}; default: the tutorial's"
    )


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import models

    if arguments.model is None:
        models.tutorial_cnn().summary()
    else:
        models.load_model(common.model_file(arguments.model), backend="cpu").summary()
    return None
