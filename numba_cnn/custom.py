"""Classes and functions of the user's own by the names that files have for them, in Keras's words.

A file names a class; what runs is what the script registered under that name, or gave in custom_objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any, TypeVar

from numba_cnn import nearest

T = TypeVar("T")
Objects = dict[str, Any]

_OBJECTS: Objects = {}  # by registered name
_NAMES: dict[Any, str] = {}
_in_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039


class CustomObjectScope:
    """Within `with custom_object_scope({"MyLayer": MyLayer}):` files and configurations may name these objects."""

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = checked("CustomObjectScope", custom_objects)
        self._token: Token[Mapping[str, Any]] | None = None

    def __enter__(self) -> CustomObjectScope:
        self._token = _in_scope.set({**_in_scope.get(), **self.custom_objects})
        return self

    def __exit__(self, *error: object) -> None:
        assert self._token is not None
        _in_scope.reset(self._token)


custom_object_scope = CustomObjectScope


@nearest.keywords
def get_custom_objects() -> Objects:
    """The objects that are registered, by name: the dict itself, which may be changed."""
    return _OBJECTS


@nearest.keywords
def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """A decorator of classes and functions: files call them "package>name", name being their own unless given.

    Raises ValueError for a class without get_config(), and for what is no name.
    """
    for word, value in (("package", package), ("name", name)):
        if not isinstance(value, str) and not (value is None and word == "name"):
            raise ValueError(
                f"register_keras_serializable: {word} must be a text; write @register_keras_serializable() above "
                f"the class. Received: {nearest.shown(value)}"
            )

    def register(thing: T) -> T:
        if not callable(thing) or not hasattr(thing, "__name__"):
            raise ValueError(
                "register_keras_serializable: expected a class or a function. "
                f"Received: {nearest.shown(thing)}"
            )
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"register_keras_serializable: the class must have a get_config(). Received: {thing.__name__}"
            )
        registered = f"{package}>{name or thing.__name__}"
        _OBJECTS[registered], _NAMES[thing] = thing, registered
        return thing

    return register


@nearest.keywords
def get_registered_name(obj: Any) -> str:
    """What files call a class or a function: "package>name" if it is registered, or its own name."""
    if not callable(obj) or not hasattr(obj, "__name__"):
        raise ValueError(
            f"get_registered_name: obj must be a class or a function. Received: {nearest.shown(obj)}"
        )
    name: str = _NAMES.get(obj, obj.__name__)
    return name


@nearest.keywords
def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """The class or function of that name: of a scope, registered, or in one of the dicts; None if there is none."""
    for objects in (_in_scope.get(), _OBJECTS, custom_objects or {}, module_objects or {}):
        if isinstance(name, str) and name in objects:
            return objects[name]
    return None


def described(description: Mapping[str, Any]) -> Any:
    """The object of the user's own that a configuration names, or None."""
    class_name, config = description.get("class_name"), description.get("config")
    names = [description.get("registered_name", class_name)]
    if class_name == "function":
        names.append(config)
    elif names[0] is not None:  # which it is for the library's own
        names.append(class_name)
    found = [one for one in map(get_registered_object, names) if one is not None]
    return found[0] if found else None


def checked(owner: str, custom_objects: Any) -> Objects:
    """Names and classes or functions as a dict; ValueError for anything else."""
    found = {} if custom_objects is None else custom_objects
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and callable(one) for name, one in found.items()
    ):
        raise ValueError(
            f"{owner}: custom_objects must be a dict of names and classes or functions, or None. "
            f"Received: {nearest.shown(custom_objects)}"
        )
    return dict(found)
