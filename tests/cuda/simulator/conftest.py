"""The kernels in Numba's simulator; tests/cuda/test_simulator.py starts these tests in a process of
their own.
"""

import sys
import time
from pathlib import Path

import numba.cuda.simulator.kernel
import pytest
from numba import config

sys.path.insert(0, str(Path(__file__).parents[1]))

if not config.ENABLE_CUDASIM:
    raise pytest.UsageError("run these tests with NUMBA_ENABLE_CUDASIM=1 in the environment")

# The simulator asks its threads in a busy loop whether they have reached the barrier, and so keeps
# them from running: half of the time goes there. It lets them go first where it asks whether they
# are alive.
sys.setswitchinterval(5e-5)
_is_alive = numba.cuda.simulator.kernel.BlockThread.is_alive


def _yielding_is_alive(thread):
    time.sleep(0)
    return _is_alive(thread)


numba.cuda.simulator.kernel.BlockThread.is_alive = _yielding_is_alive
