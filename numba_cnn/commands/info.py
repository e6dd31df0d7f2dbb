"""numba-cnn info."""

from __future__ import annotations

import argparse

HELP = "print versions, backends, threads and kernel cache"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import config
    from numba_cnn.commands import reporting

    if arguments.json:
        reporting.print_json(config.configuration())
    else:
        config.show_config()
    return None
