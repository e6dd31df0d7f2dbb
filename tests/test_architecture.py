"""The house: who may import whom, and what an import costs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import numba_cnn

PACKAGE = Path(numba_cnn.__file__).parent

# Each room with the rooms it may import from; a room is a file or a folder of the package.
ALLOWED = {
    "shapes": set(),
    "alike": set(),
    "busy": set(),
    "threads": {"busy"},
    "uncollected": set(),
    "files": set(),
    "pictures": set(),
    "keras_words": set(),
    "spellings": set(),
    "nearest": {"keras_words", "spellings"},
    "backend": {"config", "layers", "nearest", "settings"},
    "constructors": {"nearest"},
    "settings": {"constructors", "nearest", "shapes"},
    "session": {"nearest", "shapes"},
    "custom": {"nearest"},
    "registry": {"constructors", "custom", "nearest"},
    "copies": {"backends"},
    "__init__": {"config", "layers", "models", "nearest", "session", "uncollected"},  # all but two under TYPE_CHECKING
    "__main__": {"commands"},
    "backends": {"busy", "shapes", "uncollected"},
    "ops": {"backends", "nearest", "shapes"},
    "activations": {"backends", "nearest", "ops"},
    "utils": {
        "backends", "config", "custom", "downloads", "files", "layers", "nearest", "pictures", "plots", "progress",
        "session", "settings", "shapes", "threads",
    },
    "initializers": {"nearest", "registry", "session", "settings", "shapes"},
    "parameter": {"copies", "ops", "session", "shapes"},
    "regularizers": {"backends", "nearest", "ops", "registry", "settings"},
    "constraints": {"backends", "nearest", "ops", "registry", "settings"},
    "layers": {
        "activations", "alike", "backends", "constraints", "constructors", "initializers", "nearest", "ops",
        "parameter", "registry", "regularizers", "session", "settings", "shapes",
    },
    "distributed": {"__init__", "backends", "nearest", "ops"},
    "formulas": set(),
    "losses": {"alike", "backends", "formulas", "nearest", "ops", "registry", "settings"},
    "metrics": {"backends", "formulas", "losses", "nearest", "ops", "registry", "session", "settings"},
    "optimizers": {"nearest", "ops", "parameter", "registry", "settings"},
    "callbacks": {"files", "nearest", "progress", "settings"},
    "formats": {"files", "layers", "optimizers", "parameter", "registry", "session"},
    "preprocessing": {"backends", "nearest", "session", "settings", "shapes", "threads", "utils"},
    "downloads": {"files", "nearest"},
    "datasets": {"downloads", "files", "nearest", "pictures", "shapes"},
    "progress": {"settings"},
    "config": {"__init__", "backends", "nearest", "ops", "progress", "session", "settings"},
    "models": {
        "alike", "backends", "busy", "callbacks", "constraints", "constructors", "copies", "custom", "distributed",
        "files", "formats", "initializers", "layers", "losses", "metrics", "nearest", "ops", "optimizers", "parameter",
        "progress", "registry", "regularizers", "session", "settings", "shapes", "threads",
    },
    "saving": {"custom", "models", "nearest"},
    "wrappers": {"models", "nearest", "utils"},
    "classification": {"nearest", "settings"},
    "plots": {"classification", "files", "layers", "models", "nearest", "settings", "shapes"},
    "keras": {"__init__", "scripts"},
    "scripts": {"__init__", "activations", "alike", "session", "utils"},
    "reports": {"__init__", "classification", "config", "files", "nearest", "ops", "plots", "settings"},
    "serving": {"classification", "datasets", "nearest", "settings"},
    "commands": {
        "__init__", "backends", "callbacks", "classification", "config", "datasets", "distributed", "files", "layers",
        "models", "nearest", "ops", "optimizers", "plots", "reports", "scripts", "serving", "session", "threads",
        "utils",
    },
}  # fmt: skip
# Inside backends/cpu, from below; what lies at its top, the ops, may import all of them.
CPU = {
    "codegen": set(),
    "microkernels": {"codegen"},
    "runtime": {"codegen"},
    "convolution": {"codegen", "microkernels", "runtime"},
}
HEAVY = {"numba", "h5py", "rich", "PIL", "matplotlib"}


def imports(path):
    """(module, whether it is imported as soon as the file is) for every import of a file."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.If)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in inside
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) not in inside


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def files():
    return sorted(PACKAGE.rglob("*.py"))


def rooms_imported(path):
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] == "numba_cnn":
            first = parts[1] if len(parts) > 1 else "__init__"
            is_room = (PACKAGE / f"{first}.py").exists() or (PACKAGE / first).is_dir()
            yield first if is_room else "__init__"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path):
    mine = room(path)
    if mine == "__init__":
        return  # names every room, and imports none before it is used: see below
    assert set(rooms_imported(path)) - {mine} <= ALLOWED[mine]


def test_the_rooms_form_no_circle():
    seen, left = set(), {name: set(below) for name, below in ALLOWED.items() if name != "__init__"}
    while left:
        ready = {name for name, below in left.items() if below - {"__init__"} <= seen}
        assert ready, f"a circle among {sorted(left)}"
        seen |= ready
        left = {name: below for name, below in left.items() if name not in ready}


def test_numba_is_imported_under_backends_only():
    for path in files():
        for module, _ in imports(path):
            if module.split(".")[0] in ("numba", "llvmlite"):
                assert room(path) == "backends", path


def test_only_the_provider_imports_cuda():
    for path in files():
        for module, _ in imports(path):
            if module.startswith(("numba.cuda", "numba_cuda")):
                assert path.relative_to(PACKAGE) == Path("backends/cuda/provider.py"), path


def test_backends_do_not_know_each_other():
    for path in files():
        parts = path.relative_to(PACKAGE).parts
        if parts[0] == "backends" and parts[1] in ("cpu", "cuda"):
            other = {"cpu": "cuda", "cuda": "cpu"}[parts[1]]
            for module, _ in imports(path):
                assert not module.startswith(f"numba_cnn.backends.{other}"), path


@pytest.mark.parametrize("folder", CPU)
def test_imports_inside_cpu_go_downwards(folder):
    for path in sorted((PACKAGE / "backends" / "cpu" / folder).glob("*.py")):
        for module, _ in imports(path):
            prefix, _, below = module.partition("numba_cnn.backends.cpu.")
            if not prefix and below:
                assert below.split(".")[0] in CPU[folder] | {folder}, (
                    f"{path.name} imports {module}"
                )


def test_implementations_of_a_convolution_offer_what_the_lists_ask_for():
    """By reading them: importing takes Numba."""
    functions = {"supports", "pays"}
    for path in sorted((PACKAGE / "backends" / "cpu" / "convolution").glob("*.py")):
        tree = ast.parse(path.read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        is_one = "\nALGORITHM = " in path.read_text()
        assert (functions <= names) == is_one == bool(functions & names), path
        assert not is_one or names & {"forward", "weight_gradient"}, path


def test_heavy_packages_are_imported_where_they_are_used():
    for path in files():
        if room(path) != "backends":
            for module, at_once in imports(path):
                assert not (at_once and module.split(".")[0] in HEAVY), path


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    ).stdout.split()


def test_import_brings_nothing_heavy_and_compiles_nothing(tmp_path):
    code = (
        "import sys, numba_cnn; from numba_cnn import layers, models, datasets, callbacks; "
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_import_takes_less_than_150_ms():
    code = "import time; t = time.perf_counter(); import numba_cnn; print(time.perf_counter() - t)"
    assert min(float(run(code)[0]) for _ in range(3)) < 0.15


def test_every_public_name_is_there():
    for name in numba_cnn.__all__:
        assert getattr(numba_cnn, name) is not None
    assert set(numba_cnn.__all__) <= set(dir(numba_cnn))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        numba_cnn.nothing  # noqa: B018


def test_a_model_without_a_gpu_imports_no_cuda_module():
    """Half a second at every start."""
    code = (
        "import sys; from numba_cnn import backends; backend = backends.get('auto').NAME; "
        "print(backend, 'numba_cnn.backends.cuda.provider' in sys.modules)"
    )
    backend, imported = run(code)
    assert (backend, imported) == ("cpu", "False") or backend == "cuda"
