"""A page as a notebook, with its outputs: python docs/notebook.py docs/tutorial.md docs/tutorial.ipynb"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_CODE = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def notebook(page: str) -> dict[str, object]:
    """The notebook of a page: its text as cells of Markdown, its ```python blocks as cells of code."""
    cells, end = [], 0
    for block in _CODE.finditer(page):
        cells += _markdown(page[end : block.start()])
        cells.append(_code(block[1], block[2]))
        end = block.end()
    cells += _markdown(page[end:])
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [{"id": f"cell-{i}", **cell} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _markdown(text: str) -> list[dict[str, object]]:
    if not text.strip():
        return []
    return [
        {"cell_type": "markdown", "metadata": {}, "source": text.strip().splitlines(keepends=True)}
    ]


def _code(source: str, printed: str | None) -> dict[str, object]:
    said = {
        "name": "stdout",
        "output_type": "stream",
        "text": (printed or "").splitlines(keepends=True),
    }
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [said] if printed else [],
        "source": source.rstrip("\n").splitlines(keepends=True),
    }


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(json.dumps(notebook(source.read_text()), indent=1, ensure_ascii=False) + "\n")
