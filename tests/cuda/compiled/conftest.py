"""Kernels compiled for GPUs and executed by the interpreter; the packages of the extra test-cuda
must be installed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

_NEEDED = ("numba_cuda", "nvidia")
if any(find_spec(name) is None for name in _NEEDED):
    raise pytest.UsageError(
        "tests/cuda/compiled needs the CUDA compiler's packages (no GPU): "
        'pip install "numba-cnn[test,test-cuda]"'
    )


@pytest.fixture
def device(monkeypatch):
    """The library's CUDA backend on the interpreter of PTX."""
    from device import Device

    made = Device()
    made.install(monkeypatch)
    return made
