"""numba-cnn run."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from traceback import walk_tb

from numba_cnn.commands import PROGRAM, fail

HELP = """run a Keras script as it is: keras means this library

In the script, keras, tensorflow.keras and tf.keras are numba_cnn. What the
script asks for and is not served is named on standard error."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT", help="a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="of the script")


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import scripts

    try:
        scripts.run(arguments.script, arguments.arguments)
    except (ImportError, OSError, TypeError, ValueError) as error:
        lines = [
            line
            for frame, line in walk_tb(error.__traceback__)
            if frame.f_code.co_filename == arguments.script
        ]
        if not lines or isinstance(error.__context__, KeyboardInterrupt):
            raise
        return fail(f"{arguments.script}, line {lines[-1]}: {error}")
    finally:
        with suppress(OSError, SyntaxError):  # which was said before
            for word in scripts.missing_words(arguments.script):
                print(f"{PROGRAM}: not here: {word}", file=sys.stderr)
    return None
