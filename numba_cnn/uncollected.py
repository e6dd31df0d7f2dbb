"""Modules and kernels live on once they are loaded: Python's collector of garbage need not look for any among them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made inside counts as old at once, of which a collection looks through all but seldom."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            if not gc.get_freeze_count():  # nobody has put objects aside, whom this would give back
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def load(name: str) -> ModuleType:
    """The module of that name."""
    with uncollected():
        return import_module(name)
