"""What the library runs on: threads, and a report of versions, backends and CPU."""

from __future__ import annotations

import platform
from importlib.metadata import version

import numpy as np

from numba_cnn import __version__, backends, ops, session
from numba_cnn.nearest import keywords
from numba_cnn.ops import conv_algorithm


def set_num_threads(n: int) -> None:
    """Run the CPU kernels on n threads; ValueError for more than Numba started with."""
    backends.get("cpu").set_num_threads(n)


def clear_session() -> None:
    """Start the automatic names anew, as in a fresh process, and give memory that nobody uses back to the system."""
    session.clear_session()
    backends.release_memory()


@keywords
def set_conv_algorithm(algorithm: str) -> None:
    """What algorithm="auto" means to all convolutions from now on, those of layers and of models too.

    "auto": by shapes, whichever takes less time. "direct": the plain sums. "winograd": Winograd's algorithm where it
    is supported, direct sums elsewhere. Until then NUMBA_CNN_CONV_ALGORITHM says it. docs/algorithms.md compares them.

    Raises ValueError for another word.
    """
    conv_algorithm.set_default(algorithm)
    session.note_change()


def configuration() -> dict[str, str]:
    """Versions, backends, and what the CPU backend says of itself; runs a kernel to start it."""
    cpu = backends.get("cpu")
    ops.relu(np.zeros(1, np.float32))
    return {
        "numba_cnn": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "llvmlite", "h5py", "rich")},
        "platform": platform.platform(),
        "backends": ", ".join(backends.available()),
        "backend": f"{backends.get('auto').NAME} (automatic choice)",
        **{name: str(value) for name, value in cpu.describe().items()},
        "convolutions": conv_algorithm.default(),
    }


def show_config() -> None:
    """Print the configuration, one line each."""
    items = configuration()
    width = max(map(len, items))
    for name, value in items.items():
        print(f"{name:{width}}  {value}")
