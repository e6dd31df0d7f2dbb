"""What a callback is, how several are called, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from numba_cnn import nearest, settings
from numba_cnn.callbacks.notebook import history_html
from numba_cnn.settings import Check, Checked

Logs = dict[str, float]

verbosity: Check = settings.verbosity()


class Callback(Checked):
    """Is told how training goes: override the hooks of interest; model and params are set.

    Batch hooks cost a look at the loss in every step, which a GPU then has to wait for; epoch hooks
    cost nothing.
    """

    runs_last: ClassVar[bool] = False  # whether its hooks are called behind those of all others
    on_first_rank_only: ClassVar[bool] = False  # of a distributed model: what writes files
    _takes_any_name: ClassVar[bool] = True
    _learned: ClassVar[tuple[str, ...]] = ()  # the attributes that a run changes
    model: Any
    params: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        """What the callback knows, without the model: fit() gives it one."""
        return {name: value for name, value in vars(self).items() if name != "model"}

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_others(self, callbacks: list[Callback]) -> None:
        """Told of all callbacks of a run; one that keeps them in mind says so here."""

    def get_state(self) -> dict[str, Any]:
        """What the callback has learned in this run, for BackupAndRestore: numbers, texts, arrays, lists and dicts."""
        return {name: getattr(self, name) for name in self._learned}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state() gave in a run that was killed; called behind on_train_begin()."""
        for name in self._learned:
            if name in state:
                setattr(self, name, state[name])

    def on_train_begin(self, logs: Logs | None = None) -> None: ...
    def on_train_end(self, logs: Logs | None = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_test_begin(self, logs: Logs | None = None) -> None: ...
    def on_test_end(self, logs: Logs | None = None) -> None: ...
    def on_predict_begin(self, logs: Logs | None = None) -> None: ...
    def on_predict_end(self, logs: Logs | None = None) -> None: ...
    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_end(batch, logs)


class CallbackList:
    """Calls each hook of each callback that has its own version of it, in order."""

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = as_list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks: expected objects of Callback. Received: {type(callback).__name__}"
                )
            callback.set_model(model)
            callback.set_params(params)
            callback.set_others(self.callbacks)
        self.callbacks.sort(key=lambda callback: callback.runs_last)
        self._hooks: dict[str, list[Callable[..., None]]] = {}

    def act_everywhere(self, hook: str) -> bool:
        """Whether a callback that every rank of a distributed model has does something at that hook."""
        shared = [one for one in self.callbacks if not one.on_first_rank_only]
        return any(_is_own(one, name) for one in shared for name in _names(hook))

    def call(self, hook: str, *arguments: Any) -> None:
        for method in self._methods(hook):
            method(*arguments)

    def call_batch(self, hook: str, batch: int, read_logs: Callable[[], Logs]) -> None:
        """Like call, but the logs are read only if somebody wants them."""
        methods = self._methods(hook)
        if methods:
            logs = read_logs()
            for method in methods:
                method(batch, logs)

    def _methods(self, hook: str) -> list[Callable[..., None]]:
        if hook not in self._hooks:
            self._hooks[hook] = [
                getattr(callback, hook)
                for callback in self.callbacks
                if any(_is_own(callback, name) for name in _names(hook))
            ]
        return self._hooks[hook]


def as_list(callbacks: Callback | Iterable[Callback] | None) -> list[Callback]:
    """None, one callback or several as a list."""
    if callbacks is None:
        return []
    if isinstance(callbacks, Callback):
        return [callbacks]
    if isinstance(callbacks, str | bytes) or not isinstance(callbacks, Iterable):
        raise TypeError(
            "callbacks: expected a list of objects of Callback. "
            f"Received: {nearest.shown(callbacks)}"
        )
    return list(callbacks)


def _names(hook: str) -> set[str]:
    return {hook, hook.replace("train_batch", "batch")}


def _is_own(callback: Callback, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class History(Callback):
    """history: a list per logged name, one value per epoch; epoch: the epochs' numbers."""

    _learned: ClassVar[tuple[str, ...]] = ("history", "epoch")

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = nearest.Logged()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def _repr_html_(self) -> str:
        """What a notebook shows where the history is a cell's value."""
        return history_html(self.history)

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state({**state, "history": nearest.Logged(state["history"])})


class LambdaCallback(Callback):
    """Calls the given functions at the hooks of the same names."""

    def __init__(self, **functions: Callable[..., None]) -> None:
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                hooks = [hook for hook in dir(Callback) if hook.startswith("on_")]
                raise TypeError(
                    f"LambdaCallback: expected the name of a hook{nearest.hint(name, hooks, '')}. "
                    f"Received: {name!r}"
                )
            if not callable(function):
                raise TypeError(
                    f"LambdaCallback: {name} must be a function. Received: {nearest.shown(function)}"
                )
            setattr(self, name, function)


def refuse_schedule(owner: str, optimizer: Any) -> None:
    """Raise a TypeError where a callback cannot set the learning rate."""
    if not optimizer.takes_rate:
        raise TypeError(
            f"{owner}: the learning rate cannot be set, since the optimizer was given a schedule, which says what it "
            f"is; give it a number instead. Received: learning_rate={type(optimizer.schedule).__name__}(...)"
        )
