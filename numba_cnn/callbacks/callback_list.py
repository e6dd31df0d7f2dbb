"""How several callbacks are called as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from numba_cnn import nearest
from numba_cnn.callbacks.callback import Callback, History, Logs
from numba_cnn.callbacks.progbar_logger import ProgbarLogger
from numba_cnn.settings import flag


class CallbackList(Callback):
    """Calls each hook of each callback that has its own version of it, in order: for training loops of one's own.

    callbacks       a callback, or a list of them, in which may be lists
    add_history     whether a History is among them, if there is none yet
    add_progbar     whether a ProgbarLogger is, which shows progress; it needs the params verbose, epochs and steps
    model           whose training they are told of, if it is known; set_model() says it later
    params          what their params are, as epochs=3, steps=10, verbose=1

    Raises TypeError for what is no callback. fit() takes such a list in the place of its callbacks.
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Any] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks = as_list(callbacks)
        self._add(History, flag("CallbackList", "add_history", add_history))
        self._add(ProgbarLogger, flag("CallbackList", "add_progbar", add_progbar))
        for callback in self.callbacks:
            callback.set_others(self.callbacks)
        self.callbacks.sort(key=lambda callback: callback.runs_last)
        self._hooks: dict[str, list[Callable[..., None]]] = {}
        self._begun = 0
        self.model = None
        self.set_model(model)
        self.set_params(params)

    def _add(self, kind: type[Callback], wanted: bool) -> None:
        if wanted and not any(isinstance(one, kind) for one in self.callbacks):
            self.callbacks.append(kind())

    def set_model(self, model: Any) -> None:
        """Tell all of them whose training it is; None says nothing."""
        if model is None:
            return
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all of them the run's parameters, if there are any."""
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def act_everywhere(self, hook: str) -> bool:
        """Whether a callback that every rank of a distributed model has does something at that hook."""
        shared = [one for one in self.callbacks if not one.on_first_rank_only]
        return any(_is_own(one, name) for one in shared for name in _names(hook))

    def call(self, hook: str, *arguments: Any) -> None:
        """Call the hook of that name of all that have one."""
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

    def _begin(self, hook: str, logs: Logs | None) -> None:
        self._begun += 1
        self.call(hook, _numbers(logs))

    def _end(self, hook: str, logs: Logs | None) -> None:
        if not self._begun:
            raise ValueError(
                f"CallbackList: {hook} must come behind {hook.replace('end', 'begin')}. Received: {hook} alone"
            )
        self.call(hook, _numbers(logs))
        self._begun -= 1

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._end("on_train_end", logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._end("on_test_end", logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._end("on_predict_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.call("on_epoch_begin", epoch, _numbers(logs))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.call("on_epoch_end", epoch, _numbers(logs))

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_batch_begin", batch, _numbers(logs))

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_batch_end", batch, _numbers(logs))

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_train_batch_begin", batch, _numbers(logs))

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_train_batch_end", batch, _numbers(logs))

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_test_batch_begin", batch, _numbers(logs))

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_test_batch_end", batch, _numbers(logs))

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_predict_batch_begin", batch, _numbers(logs))

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.call("on_predict_batch_end", batch, _numbers(logs))


def as_list(callbacks: Callback | Iterable[Any] | None) -> list[Callback]:
    """None, one callback, or lists of them in each other, as one list; TypeError for what is no callback."""
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    if isinstance(callbacks, Callback):
        return [callbacks]
    if isinstance(callbacks, str | bytes) or not isinstance(callbacks, Iterable):
        raise TypeError(
            "callbacks: expected a list of objects of Callback. "
            f"Received: {nearest.shown(callbacks)}"
        )
    found: list[Callback] = []
    for one in callbacks:
        if not isinstance(one, Callback | list | tuple):
            raise TypeError(
                f"callbacks: expected objects of Callback. Received: {type(one).__name__}"
            )
        found += as_list(one)
    return found


def _numbers(logs: Logs | None) -> Logs:
    """The logs by name in alphabetical order, numbers as Python's; those inside of others, too."""
    found: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, Mapping):
            found |= _numbers(value)  # type: ignore[arg-type]
            continue
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            found[name] = value
    return nearest.Logged(found)


def _names(hook: str) -> set[str]:
    return {hook, hook.replace("train_batch", "batch")}


def _is_own(callback: Callback, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
