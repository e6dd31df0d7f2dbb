"""The outputs in the pages: every block that can be run is run, and what it prints stands in the block below it.

    python docs/outputs.py [--check] PAGE ...

A page's ```python blocks run in one namespace, one after the other, in an empty folder; each line of a ```console block
that begins with "$ " is given to a shell there, and the lines below it are what it prints. Pictures that a page's code
saves are put beside it, in docs/images. With --check nothing is written: the exit code is 1, and the differences are
printed, if a page says something else. Numbers may differ by a hundredth, as they do between processors, and times by
anything.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_BLOCK = re.compile(r"```(python|console)\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
_TIME = re.compile(r"\d+(\.\d+)? ?(m?s|us)(/step)?\b|\d+\.\d+ GFLOP/s")
_PICTURES = ".png", ".svg"
ROOT = Path(__file__).parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    wrong = 0
    for page in arguments.pages:
        before = page.read_text()
        with tempfile.TemporaryDirectory() as folder:
            after = run(before, Path(folder))
            if arguments.check:
                found = differences(before, after)
                print("\n".join(found))
                wrong += bool(found)
                continue
            page.write_text(after)
            for picture in Path(folder).iterdir():
                if picture.suffix in _PICTURES and f"images/{picture.name}" in after:
                    shutil.copy(picture, page.parent / "images")
    return int(wrong > 0)


def run(text: str, folder: Path) -> str:
    """The page with the outputs that its blocks have in that folder."""
    names: dict[str, object] = {"__name__": "__main__"}
    os.environ["COLUMNS"] = "80"
    with contextlib.chdir(folder):
        return _BLOCK.sub(lambda block: _filled(block, names), text)


def _filled(block: re.Match[str], names: dict[str, object]) -> str:
    kind, content, _ = block.groups()
    if kind == "console":
        commands = [line for line in content.splitlines() if line.startswith("$ ")]
        said = "".join(f"{command}\n{_shell(command[2:])}" for command in commands)
        return f"```console\n{said}```\n"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(content, "the page", "exec"), names)
    shown = f"\n```text\n{_trimmed(printed.getvalue())}```\n" if printed.getvalue() else ""
    return f"```python\n{content}```\n{shown}"


def _shell(command: str) -> str:
    """What a command prints, of standard output and error."""
    home = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"PYTHONPATH": home, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"}
    program = f"{sys.executable} -m numba_cnn"
    shell = f'numba-cnn() {{ {program} "$@"; }}; python() {{ {sys.executable} "$@"; }}; {command}'
    found = subprocess.run(
        ["bash", "-c", shell],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return _trimmed(found.stdout)


def _trimmed(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def differences(before: str, after: str) -> list[str]:
    """What two pages say that is not the same, but for times, and numbers that are nearly the same.

    Below commands any number may stand: what training ends with hangs on the processor. Kernels may have to be compiled
    first, or not.
    """
    old, new = (
        [line for line in page.splitlines() if not line.startswith("Compiling kernels")]
        for page in (before, after)
    )
    below_command = False
    same = len(old) == len(new)
    for one, other in zip(old, new, strict=False):
        if one.startswith("```"):
            below_command = one == "```console"
        same = same and _same(one, other, below_command)
    if same:
        return []
    return list(difflib.unified_diff(old, new, "the page", "what it prints", lineterm="", n=1))


def _same(one: str, other: str, any_number: bool) -> bool:
    if one == other:
        return True
    one, other = (_TIME.sub("a time", line) for line in (one, other))
    words = [re.sub(r"\s+", " ", _NUMBER.sub("#", line)) for line in (one, other)]
    numbers = [[float(n.replace(",", "")) for n in _NUMBER.findall(line)] for line in (one, other)]
    return words[0] == words[1] and (
        any_number
        or all(abs(a - b) <= 0.01 * max(1.0, abs(a), abs(b)) for a, b in zip(*numbers, strict=True))
    )


if __name__ == "__main__":
    sys.exit(main())
