"""What every test runs under; set before Numba or Keras are imported."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# One cache of kernels for all workers and the processes that tests start: the one that is named already, or a new one.
if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="numba_cnn_tests_")
    atexit.register(shutil.rmtree, os.environ["NUMBA_CACHE_DIR"], ignore_errors=True)

# Files whose tests count on the processor's cores: threads, processes, forks, signals, times.
SERIAL = (
    "test_threads.py", "test_memory.py", "test_architecture.py", "test_arena.py", "test_serving.py",
    "test_distributed.py", "test_distributed_network.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """One worker runs all tests that share cores badly, one after the other."""
    for item in items:
        if item.path.name in SERIAL:
            item.add_marker(pytest.mark.xdist_group("serial"))


# The first example compiles; what lands is decided by the same examples every time.
settings.register_profile("numba_cnn", deadline=None, derandomize="CI" in os.environ)
# For `python -m tests.faults`: the same examples every time, and the first that fails is enough.
settings.register_profile(
    "faults",
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile("numba_cnn")


@pytest.fixture(autouse=True)
def _fresh_session(monkeypatch):
    """Each test names its layers from the start, and prints as in a terminal of 100 columns."""
    from numba_cnn import session

    session.clear_session()
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")


@pytest.fixture(scope="session")
def keras():
    """keras(command, folder): what real Keras answers, run in a process of its own; see keras_peer.py."""

    def run(command: str, folder: Path) -> dict:
        script = Path(__file__).with_name("keras_peer.py")
        quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
        settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": quick, "COLUMNS": "100"}
        subprocess.run(
            [sys.executable, script, command, folder], check=True, env=os.environ | settings
        )
        return json.loads((folder / f"{command}.json").read_text())

    return run


@pytest.fixture(scope="session")
def keras_answers(keras, tmp_path_factory):
    """The folder that keras_peer.py filled with known answers, and its answers.json."""
    folder = tmp_path_factory.mktemp("keras")
    return folder, keras("answers", folder)
