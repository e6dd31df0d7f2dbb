"""What scripts for Keras 1 and 2 say otherwise than Keras 3: the old words of tables.py in today's.

They are asked when a word is unknown, by nearest.py alone. Each use is a DeprecationWarning that says today's word.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from functools import wraps
from importlib import import_module
from typing import Any

from numba_cnn.spellings import tables
from numba_cnn.spellings.tables import Settings

_PACKAGE = __name__.partition(".")[0]


def name(namespace: str, old: str) -> Any:
    """What a module calls otherwise today, or None."""
    if (namespace, old) in tables.FUNCTIONS:
        written, function = tables.FUNCTIONS[namespace, old]
        warn_of(f"{namespace}.{old}(x)", written)
        return function
    today = tables.NAMES.get(namespace, {}).get(old)
    if today is None:
        return None
    today = today if "." in today else f"{namespace}.{today}".removesuffix(".")
    _warn(f"{namespace}.{old} is {today} today")
    if today == namespace:
        return import_module(f"{_PACKAGE}.{namespace}")
    path, word = today.split(".")
    found = getattr(import_module(f"{_PACKAGE}.{path}"), word)
    return _by_rows_and_columns(found) if old.endswith(("2D", "Transpose")) else found


def arguments(
    owner: str,
    bases: tuple[str, ...],
    given: tuple[Any, ...],
    settings: Mapping[str, Any],
    known: Any,
) -> tuple[tuple[Any, ...], Settings] | None:
    """A call in today's words, or None where an argument is unknown in any."""
    found: Settings = {}
    changes = {
        old: change
        for base in reversed((owner, *bases))
        for old, change in tables.ARGUMENTS.get(base, {}).items()
    }
    rows_and_columns = [settings[key] for key in ("nb_row", "nb_col") if key in settings]
    for key, value in settings.items():
        if key in known and not (key == "epsilon" and value is None and "Optimizer" in bases):
            found[key] = value
        elif len(rows_and_columns) == 2 and key in ("nb_row", "nb_col"):
            found["kernel_size"] = tuple(rows_and_columns)
        elif key == "decay" and "Optimizer" in bases:
            rate = {"learning_rate": given[0]} if given else {}
            decayed = _decayed(value, bases, {**settings, **rate})
            if given and decayed:
                given = (decayed["learning_rate"], *given[1:])
            else:
                found |= decayed
            _warn(f"{owner}: decay= is optimizers.schedules.InverseTimeDecay today")
        elif key in changes and all(word in known for word in changes[key](value)):
            found |= changes[key](value)
            today = ", ".join(f"{word}=" for word in changes[key](value)) or "needed no more"
            _warn(f"{owner}: {key}= is {today} today")
        else:
            return None
    is_old = settings.keys() & {"border_mode", "subsample", "dim_ordering", "W_regularizer", "init"}
    if "kernel_size" in known and is_old and len(given) > 2 and isinstance(given[2], int):
        given = (given[0], (given[1], given[2]), *given[3:])
    return given, found


def method(bases: tuple[str, ...], old: str, instance: Any) -> Any:
    """A method of models that has another name today, or None."""
    today = tables.METHODS.get(old)
    if today is None or "Network" not in bases:
        return None
    word, finished = today

    @wraps(getattr(instance, word))
    def run(*arguments: Any, **settings: Any) -> Any:
        _warn(f"{old} is {word} today")
        if old.endswith("_generator") and word != "fit" and len(arguments) > 1:
            settings["steps"], arguments = arguments[1], (arguments[0], *arguments[2:])
        if old == "fit_generator":
            arguments, settings = _of_generator(arguments, settings)
        return finished(getattr(instance, word)(*arguments, **settings))

    return run


def key(old: str) -> str | None:
    """What is logged by another name today, or None."""
    return tables.KEYS.get(old)


def single(word: str, value: str) -> list[str]:
    """The list that Keras 3 wants where Keras 2 took one name."""
    _warn(f"{word}={value!r} is {word}=[{value!r}] today")
    return [value]


def for_each(word: str, values: list[str], count: int) -> list[list[str]]:
    """The lists that Keras 3 wants of several outputs where Keras 2 took one list for all."""
    _warn(
        f"{word}={values} of {count} outputs is {word}=[{', '.join([str(values)] * count)}] today"
    )
    return [values] * count


def warn_of(old: str, today: str) -> None:
    _warn(f"{old} is {today} today")


def _of_generator(
    arguments: tuple[Any, ...], settings: Settings
) -> tuple[tuple[Any, ...], Settings]:
    """fit's arguments from those of fit_generator, whose order was (generator, steps_per_epoch, epochs)."""
    settings = dict(settings)
    for word, value in zip(
        ("x", "steps_per_epoch", "epochs", "verbose", "callbacks"), arguments, strict=False
    ):
        settings[word] = value
    generator = settings.get("x", settings.get("generator"))
    size = getattr(generator, "batch_size", None)
    for word, today in (
        ("samples_per_epoch", "steps_per_epoch"),
        ("nb_val_samples", "validation_steps"),
    ):
        if word in settings and isinstance(size, int):
            settings[today] = max(1, settings.pop(word) // size)
    return (), settings


def _decayed(decay: Any, bases: tuple[str, ...], settings: Mapping[str, Any]) -> Settings:
    """Keras 2 divided the rate by 1 + decay * steps."""
    if not decay:
        return {}
    optimizers = import_module(f"{_PACKAGE}.optimizers")
    made = next(getattr(optimizers, base) for base in bases if hasattr(optimizers, base))
    from inspect import signature

    usual = signature(made.__init__).parameters["learning_rate"].default
    rate = settings.get("learning_rate", settings.get("lr", usual))
    return {"learning_rate": optimizers.schedules.decaying(rate, decay)}


def _by_rows_and_columns(cls: Any) -> Any:
    """The layer for calls (filters, rows, columns, ...) too, as Keras 1 had them."""

    @wraps(cls, updated=())
    def make(*given: Any, **settings: Any) -> Any:
        if len(given) > 2 and isinstance(given[1], int) and isinstance(given[2], int):
            given = (given[0], (given[1], given[2]), *given[3:])
        return cls(*given, **settings)

    return make


def _warn(message: str) -> None:
    frame, level = sys._getframe(1), 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1  # type: ignore[assignment]
    warnings.warn(message, DeprecationWarning, stacklevel=level)
