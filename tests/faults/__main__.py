"""Faults that are put into a copy of the code, one after the other: is each caught by the test that is named for it?

    python -m tests.faults [WORD ...] [--every K] [--workers N]

The .toml files beside this one have them, a file a room: the file, the text that is exchanged (it occurs once), what
takes its place, and the test. WORD: only faults whose sentence, file or test has it. --every K: the first of every K.
--workers N: in N copies of the code at once.

A line says "caught", "SURVIVES", "HANGS" where the test still runs after five minutes, "NOT THERE" if the text is no
longer in the file, or "not run" and why: a row may ask for `bits` of a vector, and a test for a GPU's compiler. A test
that fails without any fault would catch all of them, so all tests are run once on the code as it is.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
SECONDS = 300  # within which a test fails; a fault that makes a test hang is not caught by it
COPIED = (
    "numba_cnn",
    "tests",
    "benchmarks",
    "docs",
    "examples",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "pyproject.toml",
)
BACKENDS = "numba_cnn/backends/"  # whose kernels are compiled anew with each fault
SIMULATOR, COMPILED = "cuda/simulator", "cuda/compiled"
OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-profile=faults")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--every", type=int, default=1, metavar="K")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    faults = [f for f in read() if not arguments.words or any(w in str(f) for w in arguments.words)]
    faults = faults[:: arguments.every]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        trees = SimpleQueue()
        for worker in range(arguments.workers):
            trees.put(Tree(Path(home, str(worker))))
        wrong = _in_a_tree(trees, _failing, faults)
        with ThreadPoolExecutor(arguments.workers) as workers:
            found = list(workers.map(lambda fault: _in_a_tree(trees, _planted, fault), faults))
    caught, left_out = found.count("caught"), sum(one.startswith("not run") for one in found)
    said = f", {left_out} not run" if left_out else ""
    minutes = (time.monotonic() - begun) / 60
    print(f"{caught} of {len(faults)} faults are caught{said}, in {minutes:.0f} minutes.")
    sys.exit(bool(wrong) or caught + left_out < len(faults))


def _in_a_tree(trees, function, what):
    """`function` of a tree that nobody else uses meanwhile."""
    tree = trees.get()
    try:
        return function(tree, what)
    finally:
        trees.put(tree)


def _failing(tree, faults):
    """The tests of these faults that fail without any: a line says each."""
    wrong = tree.failing(dict.fromkeys(f["test"] for f in faults if not missing(f)))
    for line in wrong:
        print(f"FAILS WITHOUT A FAULT: {line}", flush=True)
    return wrong


def _planted(tree, fault):
    """What becomes of a fault, in a word; a line says it."""
    begun, lacking = time.monotonic(), missing(fault)
    found = f"not run, needs {lacking}" if lacking else tree.plant(fault)
    seconds = time.monotonic() - begun
    print(f"{found}: {fault['fault']} ({fault['test']}, {seconds:.0f} s)", flush=True)
    return found


def read(*files):
    """The faults of all files, or of these: each a dict of its fault, file, old and new text, and test."""
    files = files or sorted(FOLDER.glob("*.toml"))
    return [fault for file in files for fault in tomllib.loads(file.read_text())["faults"]]


def missing(fault):
    """What the test needs and this environment has not, or None."""
    if fault["test"].startswith(COMPILED) and find_spec("numba_cuda") is None:
        return "the extra test-cuda"
    if not fault["test"].startswith("cuda/") and find_spec("keras") is None:
        return "the extra test"
    bits = fault.get("bits")
    if bits is not None:
        from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS

        return f"vectors of {bits} bits" if bits > VECTOR_BITS else None
    return None


class Tree:
    """A copy of the code, with a folder of its own for the kernels of faults."""

    def __init__(self, home):
        self.path, self.faulty = home / "tree", home / "faulty"
        self.path.mkdir(parents=True)
        for name in COPIED:
            source, target = ROOT / name, self.path / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        self.environment = {"NUMBA_CACHE_DIR": str(home / "kernels")} | os.environ
        self.environment["PYTHONPATH"] = str(self.path)
        # To compile all files of Python each time would take longer than a test.
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def failing(self, tests):
        """What pytest says of those that fail, a line each; SystemExit for one that is not there."""
        lines = []
        for kind in (SIMULATOR, COMPILED, ""):
            mine = [test for test in tests if test.startswith(kind)]
            tests = [test for test in tests if test not in mine]
            if mine:
                done = self._run(mine, {}, None)
                failed = re.findall(r"^(?:FAILED|ERROR).*", done.stdout, re.MULTILINE)
                if done.returncode not in (0, 1):
                    raise SystemExit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
                lines += failed or done.returncode * ["of them at least one"]
        return lines

    def plant(self, fault):
        """Whether the test fails with the fault in the code, in a word."""
        path = self.path / fault["file"]
        text = path.read_text()
        if text.count(fault["old"]) != 1:
            return "NOT THERE"
        path.write_text(text.replace(fault["old"], fault["new"]))
        own = {"NUMBA_CACHE_DIR": str(self.faulty)} if fault["file"].startswith(BACKENDS) else {}
        try:
            done = self._run([fault["test"]], own, SECONDS)
        except subprocess.TimeoutExpired:
            return "HANGS"
        finally:
            path.write_text(text)
            shutil.rmtree(self.faulty, ignore_errors=True)
        if done.returncode:
            return "caught"
        return "SURVIVES" if " passed" in done.stdout else "not run, its test is skipped here"

    def _run(self, tests, settings, seconds):
        simulated = {"NUMBA_ENABLE_CUDASIM": "1"} if tests[0].startswith(SIMULATOR) else {}
        stop = ["-x"] if seconds else []
        return subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS, *stop, *(f"tests/{test}" for test in tests)],
            cwd=self.path,
            env=self.environment | simulated | settings,
            capture_output=True,
            text=True,
            timeout=seconds,
        )


if __name__ == "__main__":
    main()
