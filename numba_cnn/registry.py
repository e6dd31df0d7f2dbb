"""Objects by name, and objects to and from the configurations in Keras's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from numba_cnn import custom, nearest
from numba_cnn.constructors import is_ours

Configuration = dict[str, Any]
Classes = Mapping[str, type]
_PLURALS = {
    "layer": "layers",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}


def get(what: str, identifier: Any, names: Classes, base: type) -> Any:
    """The object that a name, a class, a Keras configuration or that object itself means.

    names    maps every accepted name to its class; the names of the classes themselves are accepted too
    base     what objects must be of: classes of the user's own derive from it

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, base):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    by_class_name = {cls.__name__: cls for cls in names.values()}
    if isinstance(identifier, Mapping):
        return create(what, identifier, by_class_name, base)
    if not isinstance(identifier, str):
        raise TypeError(
            f"{what}: expected a name or an object of this library. "
            f"Received: {nearest.shown(identifier)}"
        )
    own = custom.get_registered_object(identifier)
    if own is not None:
        return _known(what, identifier, own, base)()
    cls = names.get(identifier) or by_class_name.get(identifier)
    if cls is None:
        known = ", ".join(repr(name) for name in names)
        meant = nearest.hint(identifier, [*names, *by_class_name], _PLURALS.get(what, what))
        raise ValueError(
            f"{what}: there is no {identifier!r}{meant}. Allowed: {known}. Received: {identifier!r}"
        )
    try:
        return cls()
    except TypeError as error:  # a class whose constructor wants arguments
        raise ValueError(f"{what}: {error}. Received: {identifier!r}") from error


def function_of(identifier: Any) -> Any:
    """The function that a name, or a Keras configuration of a function, means; the name alone where it is none of the
    user's own; anything else as it is.
    """
    if isinstance(identifier, Mapping) and identifier.get("class_name") == "function":
        found = custom.described(identifier)
        return identifier.get("config") if found is None else found
    found = custom.get_registered_object(identifier) if isinstance(identifier, str) else None
    return found if isinstance(found, FunctionType) else identifier


def create(what: str, description: Mapping[str, Any], classes: Classes, base: type) -> Any:
    """The object of a Keras configuration: of one of the classes given, or of one that the script registered, derived
    from `base`; never code from a file.
    """
    class_name, config = description.get("class_name"), description.get("config", {})
    own = custom.described(description)
    if own is not None:
        cls: Any = _known(what, class_name, own, base)
    else:
        cls = classes.get(class_name) if isinstance(class_name, str) else None
    if cls is None or not isinstance(config, Mapping):
        known = ", ".join(classes)
        meant = nearest.hint(class_name, classes, _PLURALS.get(what, what))
        raise ValueError(
            f"{what}: there is no {class_name!r}{meant}. Allowed: {known}, and classes in custom_objects or of "
            f"register_keras_serializable. Received: {class_name!r}"
        )
    try:
        return cls.from_config(dict(config))
    except TypeError as error:
        raise ValueError(f"{class_name}: {error}. Received: {dict(config)}") from error


def _known(what: str, name: Any, own: Any, base: type) -> type:
    """A class of the user's own, known to be what is asked for."""
    if not isinstance(own, type) or not issubclass(own, base):
        raise ValueError(
            f"{what}: {name!r} must mean a class derived from {base.__name__}. "
            f"Received: {nearest.shown(own)}"
        )
    return own


def both_ways(
    module: str, lookup: Callable[[Any], Any]
) -> tuple[Callable[[Any], Any], Callable[..., Any]]:
    """A module's serialize(instance) and deserialize(config, custom_objects=None)."""

    @nearest.keywords
    def serialize(instance: Any) -> Any:
        """The Keras configuration of an object, as files have it; of a function its name."""
        if isinstance(instance, FunctionType):
            return custom.get_registered_name(instance)
        if not hasattr(instance, "get_config") or isinstance(instance, type):
            raise TypeError(
                f"{module}.serialize: expected an object of {module}. Received: {nearest.shown(instance)}"
            )
        return describe(module, instance)

    @nearest.keywords
    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that a Keras configuration, or a name, means; custom_objects has classes of the user's own."""
        with custom.CustomObjectScope(custom_objects or {}):
            return lookup(config)

    return serialize, deserialize


def describe(module: str, instance: Any) -> Any:
    """The Keras configuration of an object that has get_config(); None for None."""
    if instance is None:
        return None
    function = getattr(instance, "function", None)
    if isinstance(function, FunctionType):
        name = custom.get_registered_name(function)
        return {
            "module": "builtins", "class_name": "function", "config": name, "registered_name": "function",
        }  # fmt: skip
    cls = type(instance)
    ours = is_ours(cls)
    return {
        "module": f"keras.{module}" if ours else cls.__module__,
        "class_name": cls.__name__,
        "config": instance.get_config(),
        "registered_name": None if ours else custom.get_registered_name(cls),
    }
