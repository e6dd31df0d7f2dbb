"""Starts the tests of the CUDA backend that need the simulator, whose switch must be set before
Numba is imported.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def test_the_kernels_in_the_simulator():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", Path(__file__).with_name("simulator")],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed
    assert int(passed.group(1)) > 0
