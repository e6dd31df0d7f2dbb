"""The pages say what happens, their links lead somewhere, and the examples run."""

import doctest
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import numba_cnn

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[1]
RUN = ("tutorial.md", "start.md", "command.md")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "numba_cnn").rglob("*.py")
    if ">>>" in path.read_text()
)
# What each example's last line says.
EXAMPLES = {
    "kernels_alone": r"squared error of the learned blur 0\.00\d+, of nothing 0\.\d+",
    "new_layer": r"accuracy (0\.9|1\.0)\d",
    "new_op": r"cuda: largest difference to the reference \de-0[678]",
    "keras_model": r"saved trained_here\.keras; class 0 went from 0\.\d+ to 0\.\d+",
    "segmentation": r"0\.9\d of the pixels are right; overlap of disks 0\.[89]\d",
    "transfer": r"accuracy on 6 to 9 with features of nothing: 0\.\d+",
    "gpu": r"cuda: .*",
    "serving": r'\["cross", "ring", "star"\]',
}


@pytest.mark.parametrize("page", RUN)
def test_a_page_says_what_its_code_prints(page):
    command = [sys.executable, ROOT / "docs" / "outputs.py", "--check", ROOT / "docs" / page]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if name == "new_op":
        monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    found = subprocess.run(
        [sys.executable, "-W", "error", "-m", f"examples.{name}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert found.returncode == 0, found.stderr
    assert re.fullmatch(EXAMPLES[name], found.stdout.splitlines()[-1])


def test_the_example_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for words in (["write_pictures", "photos"], ["own_folder", "photos", "3"]):
        command = [sys.executable, "-m", f"examples.{words[0]}", *words[1:]]
        found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
    assert (tmp_path / "own_folder.keras").exists()


def test_a_type_checker_knows_what_the_readme_calls(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    file = tmp_path / "readme.py"
    given = "import numpy as np\n\nx = dy = weight = bias = np.ones(1, np.float32)\n"
    file.write_text("\n".join([given, *blocks, "layers.Conv2D(filters=3, kernel=3)\n"]))
    command = [sys.executable, "-m", "mypy", "--strict", file]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    errors = [
        line.split(": error: ")[1] for line in found.stdout.splitlines() if ": error: " in line
    ]
    last = 'Missing positional argument "kernel_size" in call to "Conv2D"  [call-arg]'
    assert errors == [last], found.stdout + found.stderr


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings(module):
    """In them np is NumPy and nc is numba_cnn."""
    done = doctest.testmod(import_module(module), extraglobs={"np": np, "nc": numba_cnn})
    assert done.attempted
    assert not done.failed


def test_all_examples_are_run():
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert names == {*EXAMPLES, "own_folder", "write_pictures", "__init__"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            }
            assert anchor in slugs, link


def test_the_notebook_is_the_page(monkeypatch):
    """docs/notebook.py makes it; a notebook's cells are those of the page, in its order."""
    import json
    import runpy

    made = runpy.run_path(str(ROOT / "docs" / "notebook.py"))["notebook"]
    page = (ROOT / "docs" / "tutorial.md").read_text()
    stored = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text())
    assert stored == made(page)
    sources = ["".join(cell["source"]) for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert sources == [
        block.rstrip("\n") for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    ]
    printed = ["".join(out["text"]) for cell in stored["cells"] for out in cell.get("outputs", ())]
    assert printed == re.findall(r"```text\n(.*?)```", page, re.DOTALL)
