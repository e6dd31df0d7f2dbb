"""Convolutional networks as Numba kernels: Keras's words, NumPy's arrays.

    from numba_cnn import layers, models

Everything is imported when it is first used: importing the package compiles nothing and looks for
no GPU.
"""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from numba_cnn import (
        activations,
        backend,
        backends,
        callbacks,
        config,
        constraints,
        datasets,
        distributed,
        initializers,
        layers,
        losses,
        metrics,
        models,
        ops,
        optimizers,
        plots,
        preprocessing,
        regularizers,
        saving,
        utils,
        wrappers,
    )
    from numba_cnn.config import clear_session, set_conv_algorithm, set_num_threads, show_config
    from numba_cnn.layers import Input
    from numba_cnn.models import Model, Sequential
    from numba_cnn.session import set_random_seed

__version__ = "0.2.0"

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "backend",
    "backends",
    "callbacks",
    "clear_session",
    "config",
    "constraints",
    "datasets",
    "distributed",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "plots",
    "preprocessing",
    "regularizers",
    "saving",
    "set_conv_algorithm",
    "set_num_threads",
    "set_random_seed",
    "show_config",
    "utils",
    "version",
    "wrappers",
]

_HOMES = {
    "Input": "layers",
    "Model": "models",
    "Sequential": "models",
    "clear_session": "config",
    "set_conv_algorithm": "config",
    "set_num_threads": "config",
    "set_random_seed": "session",
    "show_config": "config",
}


def version() -> str:
    """The version of this library, __version__, as keras.version() says Keras's."""
    return __version__


def __getattr__(name: str) -> Any:
    if name not in __all__:
        if name in _rooms():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from numba_cnn.nearest import missing

        raise missing(__name__, name, __all__)
    from numba_cnn.uncollected import load

    if name in _HOMES:
        return getattr(load(f"{__name__}.{_HOMES[name]}"), name)
    return load(f"{__name__}.{name}")


@cache
def _rooms() -> frozenset[str]:
    """The modules of the package: imports ask for them here before they look for files."""
    from pkgutil import iter_modules

    return frozenset(module.name for module in iter_modules(__path__))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
