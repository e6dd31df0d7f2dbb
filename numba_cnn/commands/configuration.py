"""Options in TOML files: what --config reads, and what a run folder remembers of its run."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numba_cnn import files, nearest

_MOST = 2**20  # bytes of such a file


def read_config(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Have the parser take options from the file that --config names in these words, unless they are given too."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config", nargs="?")
    path = finder.parse_known_args(words)[0].config
    if path is None or not any(action.dest == "config" for action in parser._actions):
        return
    try:
        values = read_toml(path)
        parser.set_defaults(**options(parser, values, path))
    except (OSError, ValueError) as error:
        parser.error(str(error))


def read_toml(path: str | Path) -> dict[str, Any]:
    """What a TOML file says. Raises ValueError for one that is none, or has more than a MiB."""
    with files.reading("cannot read the configuration", path), files.open_regular(path) as file:
        if files.size(file) > _MOST:
            raise ValueError(f"a configuration has {_MOST} bytes at most")
        return tomllib.loads(file.read().decode())


def options(
    parser: argparse.ArgumentParser, values: Mapping[str, Any], path: str | Path
) -> dict[str, Any]:
    """The values by the names under which the parser keeps them, each checked as if it had been typed."""
    known = {
        word.removeprefix("--").replace("-", "_"): action
        for action in parser._actions
        for word in action.option_strings
        if word.startswith("--") and action.dest not in ("help", "config")
    }
    found = {}
    for key, value in values.items():
        action = known.get(key.replace("-", "_"))
        if action is None:
            hint = nearest.hint(key, known, "options")
            raise ValueError(f"{path}: no option is called {key!r}{hint}. Received: {value!r:.80}")
        found[action.dest] = _checked(parser, action, value, f"{path}: {key}")
    return found


def _checked(
    parser: argparse.ArgumentParser, action: argparse.Action, value: Any, where: str
) -> Any:
    if action.nargs == 0:  # a flag
        if not isinstance(value, bool):
            raise ValueError(f"{where} must be true or false. Received: {value!r:.80}")
        return value if action.const else not value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError(f"{where} must be a text or a number. Received: {value!r:.80}")
    try:
        taken = parser._get_value(action, str(value))
        parser._check_value(action, taken)
    except argparse.ArgumentError as error:
        raise ValueError(f"{where}: {error.message}") from error
    return taken


def write_toml(path: Path, values: Mapping[str, Any], comment: str) -> None:
    """Write texts, numbers and flags as a TOML file; what is None is left out."""
    lines = [f"# {comment}"]
    for key, value in values.items():
        if value is not None:
            # JSON's words for these are TOML's too, but for the exponent of 1e-05, which both take.
            lines.append(f"{key.replace('_', '-')} = {json.dumps(value)}")
    with files.replacing(path) as file:
        file.write(("\n".join(lines) + "\n").encode())
