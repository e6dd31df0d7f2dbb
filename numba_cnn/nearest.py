"""The word that was meant by one that nobody knows, and the errors that say so.

What exists is asked for when an error arises: nothing here lists it. The words of Keras that are not
served yet stand in keras_words.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from numba_cnn import spellings
from numba_cnn.keras_words import WORDS

P = ParamSpec("P")
R = TypeVar("R")

_SIMILARITY = 0.72  # of difflib's ratio: "trainble" and "trainable" have 0.94, "mse" and "sgd" 0.33


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of the words that is most like the given one, or None if none is."""
    import difflib

    words = list(words)
    same = _same(word, words)
    if same is not None:
        return same
    found = []
    for known in words:
        slips, alike = (
            _slips(_bare(word), _bare(known)),
            difflib.SequenceMatcher(None, _bare(known), _bare(word)).ratio(),
        )
        is_swap = slips == 1 and sorted(_bare(word)) == sorted(_bare(known))
        if is_swap or alike >= _SIMILARITY:
            exact = difflib.SequenceMatcher(None, known, word).ratio()
            found.append((-slips, alike, exact, known))
    return max(found)[-1] if found else None


def _slips(a: str, b: str) -> int:
    """The fewest letters to leave out, put in, exchange or swap with their neighbours that make b of a."""
    rows = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            fewest = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, a[i - 2]) == (b[j - 2], other):
                fewest = min(fewest, rows[-2][j - 2] + 1)
            row.append(fewest)
        rows.append(row)
    return rows[-1][-1]


def hint(word: object, words: Iterable[str], namespace: str) -> str:
    """What follows the statement that a word is unknown: " (did you mean 'relu'?)", or nothing."""
    if not isinstance(word, str):
        return ""
    words, keras = list(words), WORDS.get(namespace, [])
    ours = _same(word, words)
    if ours is None and _same(word, keras) is None:
        ours = nearest(word, words)
    if ours is not None:
        return f" (did you mean {ours!r}?)"
    theirs = nearest(word, keras)
    return "" if theirs is None else f" (Keras's {theirs!r} is not served yet)"


def _bare(word: str) -> str:
    return word.replace("_", "").lower()


def _same(word: str, words: Iterable[str]) -> str | None:
    """The word itself but for case and underscores, or the one whose initials it is: lr is learning_rate."""
    for known in words:
        initials = "".join(part[:1] for part in known.split("_")) if "_" in known else None
        if _bare(word) == _bare(known) or word == initials:
            return known
    return None


def attributes(module: str, names: Iterable[str]) -> Callable[[str], Any]:
    """The __getattr__ of a module with these public names."""

    def __getattr__(name: str) -> Any:
        found = spellings.name(module.rpartition(".")[2], name)
        if found is None:
            raise missing(module, name, names)
        return found

    return __getattr__


def spelled(
    cls: type, arguments: tuple[Any, ...], settings: dict[str, Any], names: Iterable[str]
) -> Any:
    """(arguments, settings) of a constructor's call, in today's words; TypeError for a word that nobody knows."""
    bases = tuple(base.__name__ for base in cls.__mro__)
    found = spellings.arguments(cls.__name__, bases, arguments, settings, names)
    if found is None:
        check_keywords(cls.__name__, settings, names)
    return found


def method(instance: object, name: str) -> Any:
    """What an object calls otherwise today, for its __getattr__; AttributeError for what it has not in any words."""
    cls = type(instance)
    if not name.startswith("_"):
        if hasattr(cls, name):  # a property, which said what is wrong
            return object.__getattribute__(instance, name)
        found = spellings.method(tuple(base.__name__ for base in cls.__mro__), name, instance)
        if found is not None:
            return found
    known = [word for word in dir(cls) if not word.startswith("_")]
    meant = "" if name.startswith("_") else hint(name, known, "models")
    raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}{meant}")


def outdated(old: str, today: str) -> None:
    """Warn that a word has another name today."""
    spellings.warn_of(old, today)


def value(word: str, given: Any, old: str, today: str) -> Any:
    """What is given for an argument, where one of its values has another name today."""
    if not (isinstance(given, str) and given == old):
        return given
    spellings.warn_of(f"{word}={old!r}", f"{word}={today!r}")
    return today


def renamed(old: str, today: str) -> property:
    """An attribute by the name that it had once."""

    def read(instance: Any) -> Any:
        spellings.warn_of(old, today)
        return getattr(instance, today)

    def write(instance: Any, value: Any) -> None:
        spellings.warn_of(old, today)
        setattr(instance, today, value)

    return property(read, write, doc=f"What is {today} today.")


class Logged(dict[str, Any]):
    """What was logged, by name; by names that it had once, too."""

    def __missing__(self, name: str) -> Any:
        today = logged(name, self)
        if today == name:
            raise KeyError(f"{name!r}{hint(name, self, '')}. Logged: {', '.join(self)}")
        return self[today]

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(logged(name, self), default)


def logged(name: str, logs: Mapping[str, Any]) -> str:
    """The name by which a value is logged today; the name itself if it is not."""
    today = None if name in logs else spellings.key(name)
    if today is None or today not in logs:
        return name
    spellings.warn_of(repr(name), repr(today))
    return today


def listed(word: str, given: Any, outputs: int = 1) -> Any:
    """What a list is asked for, where Keras 2 took one name, too, or one list of names for several outputs."""
    if isinstance(given, str):
        given = spellings.single(word, given)
    is_list = isinstance(given, list | tuple) and all(isinstance(one, str) for one in given)
    if is_list and outputs > 1 and len(given) not in (0, outputs):
        return spellings.for_each(word, list(given), outputs)
    return given


def missing(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """The error for a name that a module does not have."""
    meant = ""
    if not name.startswith("__"):  # what imports and debuggers ask for
        names = sorted(names)
        meant = hint(name, names, module.rpartition(".")[2]) or f" (there is {', '.join(names)})"
    return AttributeError(f"module {module!r} has no attribute {name!r}{meant}")


def keywords(function: Callable[P, R]) -> Callable[P, R]:
    """The function; if it is called with arguments that it does not take, the error names those it does."""

    @wraps(function)
    def call(*arguments: P.args, **settings: P.kwargs) -> R:
        try:
            return function(*arguments, **settings)
        except TypeError as error:
            traceback = error.__traceback__
            if traceback is not None and traceback.tb_next is not None:
                raise  # by the function itself, not by the call
            import inspect

            again = spellings.arguments(
                function.__name__, (), arguments, settings, inspect.signature(function).parameters
            )
            if again is None or again == (arguments, settings):
                raise _explain(function, arguments, settings) from None
        return function(*again[0], **again[1])

    return call


def unfit(cls: type, arguments: tuple[Any, ...], settings: Mapping[str, Any]) -> TypeError | None:
    """What to raise where a class's constructor does not take these arguments; None where it does."""
    import inspect

    signature = inspect.signature(cls)
    any_kind = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    named = {name: p for name, p in signature.parameters.items() if p.kind not in any_kind}
    try:
        given = signature.bind_partial(*arguments, **settings).arguments
    except TypeError as unbound:
        text = f"{unbound}. Allowed: {', '.join(named)}"
    else:
        needed = [name for name, p in named.items() if p.default is p.empty and name not in given]
        if not needed:
            return None
        text = f"{' and '.join(needed)} must be given"
    received = [*map(shown, arguments), *(f"{name}={shown(v)}" for name, v in settings.items())]
    return TypeError(f"{cls.__name__}: {text}. Received: {', '.join(received) or 'nothing'}")


def check_keywords(what: str, settings: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise a TypeError for the first keyword argument that is not one of the names."""
    names = list(names)
    for name, value in settings.items():
        if name not in names:
            raise TypeError(
                f"{what}: there is no argument {name!r}{hint(name, names, 'arguments')}. "
                f"Allowed: {', '.join(names) or 'none'}. Received: {name}={shown(value)}"
            )


def shown(value: object) -> str:
    """A value as errors show it: its repr, or type and size where that would be long."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"an array of shape {shape}"
    if isinstance(value, tuple | list) and any(hasattr(one, "shape") for one in value):
        shown_first = [*map(shown, value[:4]), *["..."] * (len(value) > 4)]
        return f"{type(value).__name__} of {', '.join(shown_first)}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _explain(
    function: Callable[..., Any], arguments: tuple[Any, ...], settings: Mapping[str, Any]
) -> TypeError:
    import inspect

    signature = inspect.signature(function)
    names = [name for name in signature.parameters if name not in ("self", "cls")]
    try:
        check_keywords(function.__name__, settings, names)
        signature.bind(*arguments, **settings)
    except TypeError as error:
        text = str(error)
        if "Received: " in text:
            return TypeError(text)
        received = [shown(value) for value in arguments[len(signature.parameters) - len(names) :]]
        received += [f"{name}={shown(value)}" for name, value in settings.items()]
        return TypeError(
            f"{function.__name__}: {text}. Allowed: {', '.join(names)}. "
            f"Received: {', '.join(received) or 'nothing'}"
        )
    return TypeError(f"{function.__name__}: the arguments do not fit. Received: {settings}")
