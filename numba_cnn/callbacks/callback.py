"""What a callback is, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable
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
