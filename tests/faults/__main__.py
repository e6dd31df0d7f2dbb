"""Faults that are put into a copy of the code, one after the other: is each caught by the test that is named for it?

    python -m tests.faults [WORD ...] [--every K]

planted.toml has them: the file, the text that is exchanged (it occurs once), what takes its place, and the test. WORD:
only faults whose sentence, file or test has it. --every K: the first of every K. A line says "caught", "SURVIVES", or
"NOT THERE" if the text is no longer in the file. A test that fails without any fault would catch all of them, so each
test is run once on the code as it is.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLANTED = Path(__file__).with_name("planted.toml")
SECONDS = 600  # a fault may make a test hang, which catches it
COPIED = (
    "numba_cnn",
    "tests",
    "benchmarks",
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "pyproject.toml",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--every", type=int, default=1, metavar="K")
    arguments = parser.parse_args()
    faults = [f for f in read() if not arguments.words or any(w in str(f) for w in arguments.words)]
    faults = faults[:: arguments.every]
    with tempfile.TemporaryDirectory() as home:
        tree = Tree(Path(home))
        wrong = [test for test in dict.fromkeys(f["test"] for f in faults) if tree.fails(test)]
        for test in wrong:
            print(f"FAILS WITHOUT A FAULT: {test}", flush=True)
        uncaught = 0
        for fault in faults:
            found = tree.plant(fault)
            uncaught += found != "caught"
            print(f"{found}: {fault['fault']} ({fault['test']})", flush=True)
    print(f"{len(faults) - uncaught} of {len(faults)} faults are caught.")
    sys.exit(bool(wrong or uncaught))


def read():
    """The faults, each as a dict of its fault, file, old and new text, and test."""
    return tomllib.loads(PLANTED.read_text())["faults"]


class Tree:
    """A copy of the code, with a folder of its own for compiled kernels."""

    def __init__(self, home):
        self.path = home / "tree"
        for name in COPIED:
            source, target = ROOT / name, self.path / name
            self.path.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        self.environment = os.environ | {
            "PYTHONPATH": str(self.path), "NUMBA_CACHE_DIR": str(home / "kernels"), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def fails(self, test):
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", f"tests/{test}"]
        try:
            done = subprocess.run(
                command, cwd=self.path, env=self.environment, capture_output=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
        if done.returncode == 4 or b"no tests ran" in done.stdout:
            raise SystemExit(f"there is no such test. Received: {test}")
        return done.returncode != 0

    def plant(self, fault):
        """Whether the test fails with the fault in the code, in a word."""
        path = self.path / fault["file"]
        text = path.read_text()
        if text.count(fault["old"]) != 1:
            return "NOT THERE"
        path.write_text(text.replace(fault["old"], fault["new"]))
        try:
            return "caught" if self.fails(fault["test"]) else "SURVIVES"
        finally:
            path.write_text(text)


if __name__ == "__main__":
    main()
