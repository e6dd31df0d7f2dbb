"""The command numba-cnn: each subcommand is a file with HELP, add(parser) and run(arguments).

Exit codes: 0, all went well; 1, an error, said in one line; 2, wrong usage; 130, Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from numba_cnn import __version__
from numba_cnn.commands.help import Formatter, Parser

PROGRAM = "numba-cnn"
# In the order of the help.
COMMANDS = (
    "train", "evaluate", "predict", "serve", "report", "plot", "summary", "explain", "bench", "warmup", "convert",
    "run", "info", "completion",
)  # fmt: skip
_EPILOG = """\
numba-cnn COMMAND --help says more, with examples.
exit codes: 0 all went well, 1 an error (one line on standard error),
2 wrong usage, 130 Ctrl-C"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for an error, 2 for wrong usage; KeyboardInterrupt for Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = parser(words).parse_args(words)
    try:
        code: int | None = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return fail(f"{where}{error.strerror or error}")
    except (ImportError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise  # Ctrl-C, within an import that makes another error of it
        return fail(str(error)) if _says(error) else 1
    return code or 0


def _says(error: Exception) -> bool:
    """Whether this process says so: of several ranks the first alone, where another one failed."""
    from numba_cnn.distributed import RankError, is_first

    return is_first() or not isinstance(error, RankError)


def fail(message: str) -> int:
    """Say what went wrong on standard error, in one line, and return the exit code."""
    print(f"{PROGRAM}: error: {' '.join(message.split())}", file=sys.stderr)
    return 1


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the command that these words are for, or of all.

    --config's file is read here, since it says what options are unless they are given.
    """
    from numba_cnn.commands import configuration

    main_parser = Parser(
        prog=PROGRAM,
        description="Train and use convolutional networks on Numba kernels.",
        epilog=_EPILOG,
        formatter_class=Formatter,
    )
    main_parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module = import_module(f"{__name__}.{name}")
        said, _, more = module.HELP.partition("\n\n")
        one = commands.add_parser(
            name,
            help=said,
            description=f"{said[0].upper()}{said[1:]}.",
            epilog=more,
            formatter_class=Formatter,
            allow_abbrev=False,
        )
        module.add(one)
        one.set_defaults(run=module.run)
        if words[:1] == [name]:
            configuration.read_config(one, words)
    return main_parser
