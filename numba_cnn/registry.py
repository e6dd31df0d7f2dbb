"""Objects by name, and objects to and from the configurations in Keras's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numba_cnn import nearest
from numba_cnn.settings import accepted

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


def get(what: str, identifier: Any, names: Classes) -> Any:
    """The object that a name, a class, a Keras configuration or that object itself means.

    `names` maps every accepted name to its class; the names of the classes themselves are accepted
    too.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    classes = tuple(dict.fromkeys(names.values()))
    by_class_name = {cls.__name__: cls for cls in classes}
    if isinstance(identifier, classes):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, classes):
        return identifier()
    if isinstance(identifier, Mapping):
        return create(what, identifier, by_class_name)
    if not isinstance(identifier, str):
        raise TypeError(
            f"{what}: expected a name or an object of this library. "
            f"Received: {nearest.shown(identifier)}"
        )
    cls = names.get(identifier) or by_class_name.get(identifier)
    if cls is None:
        known = ", ".join(repr(name) for name in names)
        meant = nearest.hint(identifier, [*names, *by_class_name], _PLURALS.get(what, what))
        raise ValueError(f"{what}: expected one of {known}{meant}. Received: {identifier!r}")
    try:
        return cls()
    except TypeError as error:  # a class whose constructor wants arguments
        raise ValueError(f"{what}: {error}. Received: {identifier!r}") from error


def create(what: str, description: Mapping[str, Any], classes: Classes) -> Any:
    """The object of a Keras configuration: of one of the classes given, never code from a file.

    A setting that the class's constructor does not take must be off (None or False), or have one of
    the values that the class lists under `inert`; else ValueError.
    """
    class_name, config = description.get("class_name"), description.get("config", {})
    cls = classes.get(class_name) if isinstance(class_name, str) else None
    if cls is None or not isinstance(config, Mapping):
        known = ", ".join(classes)
        meant = nearest.hint(class_name, classes, _PLURALS.get(what, what))
        raise ValueError(f"{what}: expected one of {known}{meant}. Received: {class_name!r}")
    settings = accepted(cls) or ()
    inert = getattr(cls, "inert", {})
    arguments = {}
    for key, value in config.items():
        if key in settings:
            arguments[key] = value
        elif value is not None and value is not False and value not in inert.get(key, ()):
            raise ValueError(
                f"{class_name}: this library has no setting {key!r}. Received: {value!r}"
            )
    try:
        return cls(**arguments)
    except TypeError as error:
        raise ValueError(f"{class_name}: {error}. Received: {dict(config)}") from error


def describe(module: str, instance: Any) -> Any:
    """The Keras configuration of an object that has get_config(); None for None."""
    if instance is None:
        return None
    return {
        "module": f"keras.{module}",
        "class_name": type(instance).__name__,
        "config": instance.get_config(),
        "registered_name": None,
    }
