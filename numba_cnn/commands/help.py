"""Help as wide as the terminal: paragraphs and tables are wrapped, examples stay as they are."""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import Any

from numba_cnn import nearest

_DEEP = 8  # spaces from which on a line goes on with the one above
_ITEM = re.compile(r"( +\S+(?: \S+)*  +)(\S.*)")


class Parser(argparse.ArgumentParser):
    """Names the nearest word where one is not among the choices."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = None if action.choices is None else [*map(str, action.choices)]
        if choices is not None and str(value) not in choices:
            meant = nearest.hint(str(value), choices, "")
            raise argparse.ArgumentError(
                action, f"invalid choice: {value!r:.80}{meant} (choose from {', '.join(choices)})"
            )


class Formatter(argparse.HelpFormatter):
    """Keeps the lines of examples and tables apart."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = [_lines(paragraph) for paragraph in text.split("\n\n")]
        return "\n\n".join(
            "\n".join(_wrapped(line, width) for line in lines) for lines in paragraphs
        )


def _lines(paragraph: str) -> list[str]:
    """What is to be wrapped by itself: runs of plain lines, and indented ones with what goes on below them."""
    found: list[str] = []
    for line in paragraph.splitlines():
        depth = len(line) - len(line.lstrip())
        goes_on = found and (depth >= _DEEP or (depth == 0 and not found[-1].startswith(" ")))
        ends = found and found[-1].endswith(":")
        if goes_on and not ends:
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    return found


def _wrapped(line: str, width: int) -> str:
    item = _ITEM.fullmatch(line)
    if line.startswith("  ") and item is None:
        return line  # an example
    indent = " " * len(item[1]) if item else ""
    return textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False)
