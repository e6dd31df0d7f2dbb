"""What the constructors of classes take, the user's own among them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from numba_cnn import nearest

_PACKAGE = __name__.partition(".")[0]


def is_ours(cls: type) -> bool:
    """Whether a class is one of this package's."""
    return cls.__module__.partition(".")[0] == _PACKAGE


def is_of_package(namespace: Mapping[str, Any]) -> bool:
    """Whether a class that defines these names, and is not made yet, is one of this package's."""
    return str(namespace.get("__module__")).partition(".")[0] == _PACKAGE


def accepted(cls: type) -> tuple[str, ...] | None:
    """The keyword arguments of the class's constructor, and of those it hands on to its base classes.

    What `_given_to_base` names, the class gives its base itself.
    None if they cannot be known: the constructor comes from elsewhere, or takes any.
    """
    named = constructor(cls)
    return named.names if named.is_ours and not named.takes_any else None


class Constructor(NamedTuple):
    """What the constructors of a class and of its bases name, as far as each hands on what it does not name."""

    names: tuple[str, ...]
    is_ours: bool  # whether all are of this package
    takes_any: bool  # whether the last hands on, too


@cache
def constructor(cls: type) -> Constructor:
    """What the class is made with."""
    names: dict[str, None] = {}
    given = ("self", *getattr(cls, "_given_to_base", ()))
    ours, takes_any = True, False
    for base in cls.__mro__:
        if base is object:
            break
        if "__init__" in vars(base):
            ours = ours and is_ours(base)
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            any_kind = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
            names |= {p.name: None for p in parameters if p.kind not in any_kind}
            takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
            if not takes_any:
                break
    return Constructor(tuple(name for name in names if name not in given), ours, takes_any)


def of_config(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the constructor in a configuration, without what changes nothing here."""
    if not isinstance(config, Mapping):
        raise TypeError(
            f"from_config: config must be what get_config() gives. Received: {nearest.shown(config)}"
        )
    named, inert, taken = constructor(cls), getattr(cls, "inert", {}), {}
    for key, value in config.items():
        if key in named.names:
            taken[key] = value
        elif value is not None and value is not False and value not in inert.get(key, ()):
            if named.is_ours or not named.takes_any:
                raise ValueError(
                    f"{cls.__name__}: this library has no setting {key!r}. Received: {value!r}"
                )
            taken[key] = value
    return taken
