"""Layers and models as configurations: the arguments of their constructors, also where those are the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

from numba_cnn import nearest
from numba_cnn.constructors import constructor
from numba_cnn.layers.weighted import Weighted
from numba_cnn.settings import settings_of

_PLAIN = str, int, float, type(None)
_SHARED = "name", "trainable", "dtype"  # what all layers take
_FIRST = "weights", "input_shape"  # what counts once: building sets these


class Configured(Weighted):
    """What is described by the arguments of its constructor.

    A class of the user's own need not say get_config(), if it is made of numbers, texts, lists and dicts.
    """

    _made_with: tuple[tuple[Any, ...], dict[str, Any]] | None = (
        None  # to a constructor of the user's own
    )

    def __new__(cls, *arguments: Any, **settings: Any) -> Self:
        made = super().__new__(cls)
        if not constructor(cls).is_ours:
            made.__dict__["_made_with"] = arguments, settings
        return made

    def _when_made(self) -> None:
        self.__dict__["_replaced"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """What is set on a layer that is not built is looked at when it is built: see _settle()."""
        replaced = self.__dict__.get("_replaced")
        is_early = self.__dict__.get("output_shape") is None
        if replaced is not None and is_early and name in _arguments_of(type(self)):
            replaced.setdefault(name, self.__dict__.get(name))
        super().__setattr__(name, value)

    def _settle(self) -> None:
        """Have the settings that were set since the layer was made be as its constructor takes them; or its error."""
        replaced, self.__dict__["_replaced"] = self.__dict__.get("_replaced"), {}
        if not replaced:
            return
        settings = {name: self.__dict__[name] for name in replaced}
        self.__dict__.update(replaced)  # as it was made: what is wrong may have no configuration
        try:
            config = self.get_config()
        finally:
            self.__dict__.update(settings)
        again = vars(type(self).from_config(config | settings))
        for name in (*replaced, "geometry", "_geometry"):
            if name in again:
                super().__setattr__(name, again[name])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, as Keras writes them."""
        if self._made_with is None or type(self).get_config is not Configured.get_config:
            return {"name": self.name, "trainable": self.trainable}
        return self._own_config()

    def _own_config(self) -> dict[str, Any]:
        """What a constructor of the user's own was called with, and of what all take what it takes."""
        named = constructor(type(self))
        shared = {"name": self.name, "trainable": self.trainable}
        taken = {key: v for key, v in shared.items() if named.takes_any or key in named.names}
        return taken | self._arguments(*(self._made_with or ((), {})))

    def _arguments(self, arguments: tuple[Any, ...], settings: dict[str, Any]) -> dict[str, Any]:
        """What the constructor was called with."""
        signature = inspect.signature(type(self).__init__)
        found = dict(signature.bind(self, *arguments, **settings).arguments)
        found.pop(next(iter(signature.parameters)))
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                found |= found.pop(parameter.name, {})
        for name, value in found.items():
            if not _is_plain(value):
                raise ValueError(
                    f"{self.name}: {name} cannot be written as it is; define get_config() in {type(self).__name__}. "
                    f"Received: {nearest.shown(value)}"
                )
        return found

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A new object from get_config(); ValueError for settings that it has not."""
        given, rest = dict(config) if isinstance(config, Mapping) else config, {}
        if isinstance(given, dict):
            _check_dtype(given.pop("dtype", None))
            named = constructor(cls)
            missing = [] if named.is_ours or named.takes_any else set(_SHARED) - set(named.names)
            rest = {key: given.pop(key) for key in missing if key in given}
        made = super().from_config(given)
        for key in ("name", "trainable"):
            if key in rest:
                setattr(made, key, rest[key])
        return made


@cache
def _arguments_of(cls: type) -> frozenset[str]:
    """The constructor's arguments that nothing looks at when they are set."""
    named = constructor(cls)
    return (
        frozenset(named.names if named.is_ours else ())
        - set(settings_of(cls))
        - {*_SHARED, *_FIRST}
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _check_dtype(dtype: Any) -> None:
    """Refuse a dtype, or Keras's description of one, that is not what layers compute in."""
    name = dtype.get("config", {}).get("name") if isinstance(dtype, Mapping) else dtype
    if name not in ("float32", None):
        raise ValueError(f"layers compute in float32. Received: {dtype!r}")
