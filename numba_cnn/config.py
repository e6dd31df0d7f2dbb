"""What the library runs on: threads, and a report of versions, backends and CPU."""

from __future__ import annotations

import platform
from importlib.metadata import version

from numba_cnn import __version__, backends, shapes


def set_num_threads(n: int) -> None:
    """Run the CPU kernels on n threads, at most as many as Numba started with."""
    backends.get("cpu").set_num_threads(shapes.count("set_num_threads", "n", n))


def configuration() -> dict[str, str]:
    """Versions, backends, and the CPU backend's threads, threading layer, vector width, cache."""
    packages = {name: version(name) for name in ("numpy", "h5py", "rich")}
    return {
        "numba_cnn": __version__,
        "python": platform.python_version(),
        **packages,
        **backends.get("cpu").describe(),
        "platform": platform.platform(),
        "backends": ", ".join(backends.available()),
    }


def show_config() -> None:
    """Print the configuration, one line each."""
    items = configuration()
    width = max(map(len, items))
    for name, value in items.items():
        print(f"{name:{width}}  {value}")
