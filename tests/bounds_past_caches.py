"""bounds_peer.py with outputs of every size past the caches: `python tests/bounds_past_caches.py SEED CASES`.

The kernels are compiled for it and not kept: some minutes.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CODE = """
import sys
from numba_cnn.backends.cpu.microkernels import nontemporal
nontemporal.NONTEMPORAL_BYTES = 0
import bounds_peer
bounds_peer.main(*map(int, sys.argv[1:]))
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        settings = os.environ | {"NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", CODE, *sys.argv[1:]]
        return subprocess.run(command, env=settings, cwd=Path(__file__).parent).returncode


if __name__ == "__main__":
    sys.exit(main())
