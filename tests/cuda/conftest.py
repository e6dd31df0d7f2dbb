"""The tests of the CUDA backend that need a process of their own are collected where they are asked
for by name.

`simulator` runs in Numba's simulator, whose switch must be set before Numba is imported:
test_simulator.py starts it. `compiled` needs the compiler's packages (the extra test-cuda): `pytest
tests/cuda/compiled`.
"""

from pathlib import Path

_HERE = Path(__file__).parent
_APART = (_HERE / "simulator", _HERE / "compiled")


def pytest_ignore_collect(collection_path, config):
    if collection_path not in _APART:
        return None
    asked = [Path(config.invocation_params.dir, str(a).split("::")[0]) for a in config.args]
    return not any(path.resolve().is_relative_to(collection_path) for path in asked)
