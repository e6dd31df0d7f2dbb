"""Kernels compiled for GPUs, and executed by the interpreter or, with --gpu, by the card of this
machine.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]


def pytest_addoption(parser):
    parser.addoption("--gpu", action="store_true", help="run the kernels on this machine's GPU")


def pytest_configure(config):
    if config.getoption("--gpu"):
        from numba_cnn.backends import cuda

        if not cuda.is_available():
            raise pytest.UsageError(cuda.why_unavailable())
    elif any(find_spec(name) is None for name in ("numba_cuda", "nvidia")):
        raise pytest.UsageError(
            "tests/cuda/compiled needs the CUDA compiler's packages (no GPU): "
            'pip install "numba-cnn[test-cuda]"'
        )


@pytest.fixture
def device(request, monkeypatch):
    """The library's CUDA backend on the interpreter of PTX, or as it is where there is a GPU."""
    if request.config.getoption("--gpu"):
        return SimpleNamespace(launches=[])
    from device import Device

    made = Device()
    made.install(monkeypatch)
    return made
