"""What the library runs on: threads, types, a report of versions, backends and CPU; the words of keras.config.

One layout and one type of numbers are served: what would choose others says so.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import __version__, backends, nearest, ops, session
from numba_cnn.nearest import keywords, shown
from numba_cnn.ops import conv_algorithm
from numba_cnn.progress import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from numba_cnn.settings import number

__all__ = [
    "backend",
    "clear_session",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "set_conv_algorithm",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
    "show_config",
]


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


_epsilon = 1e-7
_positive = number(above=0)


def backend() -> str:
    """The name of what computes: "numba_cnn"."""
    return "numba_cnn"


def image_data_format() -> str:
    """The layout of images, "channels_last": (H, W, C)."""
    return "channels_last"


@keywords
def set_image_data_format(data_format: str) -> None:
    """Taken where it says "channels_last"; ValueError else."""
    if not isinstance(data_format, str) or data_format != "channels_last":
        raise ValueError(
            'set_image_data_format: data_format must be "channels_last", the only layout here; x.transpose(0, 2, 3, 1) '
            f"brings channels to the end. Received: {shown(data_format)}"
        )


def floatx() -> str:
    """The type of numbers, "float32"."""
    return "float32"


@keywords
def set_floatx(value: str) -> None:
    """Taken where it says "float32"; ValueError else."""
    if not isinstance(value, str) or value != "float32":
        raise ValueError(
            f'set_floatx: value must be "float32", in which models compute. Received: {shown(value)}'
        )


def epsilon() -> float:
    """A small number that scripts add to divisors; 1e-7 unless set_epsilon() said otherwise."""
    return _epsilon


@keywords
def set_epsilon(value: float) -> None:
    """Choose what epsilon() returns; layers and losses have constants of their own."""
    global _epsilon
    _epsilon = _positive("set_epsilon", "value", value)


class DTypePolicy(NamedTuple):
    """The types that layers compute in and keep their weights in."""

    name: str
    compute_dtype: str
    variable_dtype: str


def dtype_policy() -> DTypePolicy:
    """The types of all layers: "float32"."""
    return DTypePolicy("float32", "float32", "float32")


@keywords
def set_dtype_policy(policy: Any) -> None:
    """Taken where it says "float32", by name or as dtype_policy() does; ValueError else."""
    name = getattr(policy, "name", policy)
    if not isinstance(name, str) or name != "float32":
        raise ValueError(
            'set_dtype_policy: policy must be "float32", in which models compute. '
            f"Received: {shown(policy)}"
        )


_filters = True


def enable_traceback_filtering() -> None:
    """Taken for scripts' sake: tracebacks are whole in any case."""
    global _filters
    _filters = True


def disable_traceback_filtering() -> None:
    """Taken for scripts' sake: tracebacks are whole in any case."""
    global _filters
    _filters = False


def is_traceback_filtering_enabled() -> bool:
    """What was said last; True from the beginning."""
    return _filters


def enable_unsafe_deserialization() -> None:
    """Taken for scripts' sake: code that stands in a file is run in no case."""


__getattr__ = nearest.attributes(__name__, __all__)
