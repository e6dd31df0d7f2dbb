"""Raw pointers know no bounds: nothing outside an array is read or written, on any vector width."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from numba_cnn.backends.cpu.codegen.host import host_bits

PEER = Path(__file__).with_name("bounds_peer.py")


def _run(*arguments, bits=None):
    bits = bits or str(host_bits())
    environment = os.environ | {"NUMBA_CNN_VECTOR_BITS": bits}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)


@pytest.mark.parametrize("bits", ["128", "256", "512"])
def test_nothing_outside_is_touched(bits):
    if int(bits) > host_bits():
        pytest.skip(f"not run: this processor computes with {host_bits()} bits")
    done = _run(PEER, "1", "40", bits=bits)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "40\n"


def test_a_width_that_the_processor_lacks_is_refused():
    """Numba compiles for a processor without AVX here: what holds for it holds for AVX2 without AVX-512."""
    code = "from numba_cnn.backends import cpu"
    for bits, cpu_name in (("512", "nehalem"), ("64", ""), ("1024", "")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NUMBA_CPU_NAME", cpu_name)
            done = _run("-c", code, bits=bits)
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith(
            "ValueError: NUMBA_CNN_VECTOR_BITS must be 128, 256 or 512, and at most the "
        )
        assert last.endswith(f"Received: {bits!r}")


def test_the_guards_bite():
    code = (
        f"import sys; sys.path.insert(0, {str(PEER.parent)!r})\n"
        "import ctypes, numpy as np, bounds_peer\n"
        "array = bounds_peer.guarded((5,), np.float32, {})\n"
        "ctypes.c_float.from_address(array.ctypes.data + {}).value\n"
    )
    for at_end, offset in ((True, 20), (False, -4)):
        assert _run("-c", code.format(at_end, offset)).returncode == -signal.SIGSEGV
        inside = 16 if at_end else 0
        assert _run("-c", code.format(at_end, inside)).returncode == 0
