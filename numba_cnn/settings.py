"""Objects whose settings are checked whenever they are set, in the constructor and afterwards.

A class lists its settings with a check for each: a function of (owner, name, value) that returns the
value as it is kept, or raises a ValueError that says what is allowed.
"""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.constructors import accepted, is_ours, of_config

Check = Callable[[str, str, Any], Any]
Settings = Mapping[str, Check]

_LARGEST = float(np.finfo(np.float32).max)  # kernels compute in float32


class _Called(type):
    """Classes whose constructors are called in today's words, whatever the script's are.

    A base says by what a class defines which bases it has in its place.
    """

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **settings: Any
    ) -> Any:
        chosen: list[type] = []
        for base in bases:
            chosen += (
                base._bases_for(name, namespace) if isinstance(base, _Called) else (base,)  # type: ignore[attr-defined]
            )
        return super().__new__(mcs, name, tuple(chosen), namespace, **settings)

    if not TYPE_CHECKING:  # which is to see the constructors themselves

        def __call__(cls, *arguments: Any, **settings: Any) -> Any:
            names = accepted(cls)
            if names is not None:
                arguments, settings = nearest.spelled(cls, arguments, settings, names)
            try:
                made = super().__call__(*arguments, **settings)
            except TypeError:
                if explained := nearest.unfit(cls, arguments, settings):
                    raise explained from None
                raise
            made._when_made()
            return made

    @property
    def __signature__(cls) -> inspect.Signature:
        """That of the constructor, for inspect and editors."""
        _, *parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
        return inspect.Signature(parameters)


class Checked(metaclass=_Called):
    """The base of what has settings.

    Setting a name that the object does not know is an AttributeError; where a class takes any name
    (its users keep things of their own there), a warning if the name is nearly a known one. Methods
    of the object may set what they like.
    """

    _settings: ClassVar[Settings] = {}
    _takes_any_name: ClassVar[bool] = False
    _given_to_base: ClassVar[
        tuple[str, ...]
    ] = ()  # arguments of its base's that a class gives itself
    # Methods that every step calls; a call that is to be explained also holds on to arguments such as activations.
    _unexplained: ClassVar[tuple[str, ...]] = (
        "forward",
        "logits",
        "step",
        "train_step",
        "of_batch",
    )

    @classmethod
    def _bases_for(cls, name: str, namespace: Mapping[str, Any]) -> tuple[type, ...]:
        """The bases of a class of that name which derives from this one and defines that."""
        return (cls,)

    def __init_subclass__(cls, **settings: Any) -> None:
        """Public methods of this package's classes explain calls that do not fit them."""
        super().__init_subclass__(**settings)
        if is_ours(cls):
            for name, method in list(vars(cls).items()):
                explained = name[0] != "_" and name not in cls._unexplained
                if isinstance(method, FunctionType) and explained:
                    setattr(cls, name, nearest.keywords(method))

    def _when_made(self) -> None:
        """Called behind the constructor."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An object with the settings that get_config() gives.

        A setting that the constructor does not take must be off (None or False), or have one of the values that the
        class lists under `inert`; else ValueError.
        """
        return cls(**of_config(cls, config))

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_":
            check = settings_of(type(self)).get(name)
            if check is not None:
                value = check(type(self).__name__, name, value)
            elif not (name in self.__dict__ or hasattr(type(self), name)):
                self._take_new(name)
        super().__setattr__(name, value)

    def _take_new(self, name: str) -> None:
        """Say something about a name that is new to the object, unless one of its methods sets it."""
        frame, depth = sys._getframe(1), 2
        while frame.f_code.co_name == "__setattr__" and frame.f_back is not None:
            frame, depth = frame.f_back, depth + 1
        if _is_method(type(self), frame.f_code):
            return
        known = [known for known in dir(self) if not known.startswith("_")]
        what, settings = type(self).__name__, settings_of(type(self))
        if not self._takes_any_name:
            raise AttributeError(
                f"{what} has no setting {name!r}{nearest.hint(name, known, 'arguments')}. "
                f"Allowed: {', '.join(settings)}. Received: {name!r}"
            )
        meant = nearest.nearest(name, known)
        if meant is not None:
            warnings.warn(
                f"{what}: {name!r} is set, which nothing reads; did you mean {meant!r}?",
                stacklevel=depth,
            )


def _is_method(cls: type, code: CodeType) -> bool:
    """Whether a method of the class runs that code."""
    methods = (vars(base).get(code.co_name) for base in cls.__mro__)
    found = (method.fset if isinstance(method, property) else method for method in methods)
    return any(
        getattr(inspect.unwrap(method), "__code__", None) is code for method in found if method
    )


def number(
    least: float = -_LARGEST,
    most: float = _LARGEST,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Check:
    """A finite real number, kept as a float: at least, at most, above or below the ones given."""
    low = f"above {above:g}" if above is not None else f"of at least {least:g}"
    high = f"below {below:g}" if below is not None else f"at most {most:g}"
    bounds = [low] if above is not None or least > -_LARGEST else []
    bounds += [high] if below is not None or most < _LARGEST else []
    allowed = " ".join(["a finite number", " and ".join(bounds)]).strip()

    def inside(value: np.float32) -> bool:
        """What kernels get is rounded to float32: 0.99999999 would be 1 there."""
        return bool((above is None or value > above) and (below is None or value < below))

    def check(owner: str, name: str, value: Any) -> float:
        found = real(value)
        if found is None or not least <= found <= most or not inside(np.float32(found)):
            raise _refusal(owner, name, allowed, value)
        return found

    return check


def real(value: Any) -> float | None:
    """The value as a float, or None if it is no finite real number that float32 can hold."""
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if abs(found) <= _LARGEST else None


def array(value: Any) -> np.ndarray:
    """The array that a caller's lists stand for, to be looked at; that of None if they have several lengths."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None)


def integer(least: int = 0) -> Check:
    def check(owner: str, name: str, value: Any) -> int:
        return shapes.count(owner, name, value, least)

    return check


def choice(*values: str | int) -> Check:
    """One of the values; True and False count as 1 and 0."""
    allowed = f"one of {', '.join(map(repr, values))}"

    def check(owner: str, name: str, value: Any) -> Any:
        if not isinstance(value, str | int | np.integer | np.bool_) or value not in values:
            close = nearest.hint(value, [v for v in values if isinstance(v, str)], "")
            raise _refusal(owner, name, allowed + close, value)
        return value

    return check


def verbosity(*words: str) -> Check:
    """An integer of at least 0, as which True and False count, or one of the words."""

    def check(owner: str, name: str, value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        value = int(value) if isinstance(value, bool | np.bool_) else value
        return shapes.count(owner, name, value, least=0)

    return check


def flag(owner: str, name: str, value: Any) -> bool:
    """True or False, also as 1 or 0."""
    if not isinstance(value, int | np.integer | np.bool_) or value not in (0, 1):
        raise _refusal(owner, name, "True or False", value)
    return bool(value)


def axes(owner: str, name: str, value: Any) -> Any:
    """An axis, or a list of them."""
    found = value if isinstance(value, list | tuple) else [value]
    if not found or not all(
        isinstance(axis, int | np.integer) and not isinstance(axis, bool) for axis in found
    ):
        raise ValueError(
            f"{owner}: {name} must be an integer or a list of integers. "
            f"Received: {nearest.shown(value)}"
        )
    return [int(axis) for axis in found] if isinstance(value, list | tuple) else int(value)


def text(owner: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _refusal(owner, name, "a string that is not empty", value)
    return value


def path(owner: str, name: str, value: Any) -> str:
    """The path as a string."""
    found = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(found, str) or not found or "\0" in found:
        raise _refusal(owner, name, "a path, as a string or a pathlib.Path", value)
    return found


def function(owner: str, name: str, value: Any) -> Any:
    if not callable(value):
        raise _refusal(owner, name, "a function", value)
    return value


def optional(check: Check) -> Check:
    """None, or what the check lets through."""

    def check_or_none(owner: str, name: str, value: Any) -> Any:
        return None if value is None else check(owner, name, value)

    return check_or_none


def _refusal(owner: str, name: str, allowed: str, value: Any) -> ValueError:
    return ValueError(f"{owner}: {name} must be {allowed}. Received: {nearest.shown(value)}")


@cache
def settings_of(cls: type[Any]) -> Settings:
    """The settings of a class and of its bases."""
    bases = [vars(base).get("_settings", {}) for base in reversed(cls.__mro__)]
    return {name: check for settings in bases for name, check in settings.items()}


def batches_asked_for(op: str, word: str, steps: Any) -> int | None:
    """How many batches are asked for, if any; of len(x) / 32, which scripts for Keras 2 give, the last is one, too."""
    if isinstance(steps, float | np.floating) and 0 < steps < np.inf:
        steps, given = int(np.ceil(steps)), steps
        nearest.outdated(f"{word}={given}", f"{word}={steps}")
    return None if steps is None else shapes.count(op, word, steps)
