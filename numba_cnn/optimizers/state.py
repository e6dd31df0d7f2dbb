"""State that belongs to parameters: arrays that begin when a parameter is first trained, and go along with it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Checked

Slots = list[Array]  # the arrays of state of one parameter, of its shape
Groups = tuple[tuple[str, ...], ...]


class Stateful(Checked):
    """What has arrays of state for each parameter.

    They belong to that parameter, and live as long as it does: what is frozen keeps its state. A copy has the state
    without the parameters; it goes to those that the copy is first built for.
    """

    name: str

    def __init__(self) -> None:
        # What WeakKeyDictionary is, looked up in C: every step does, for each parameter.
        self._state: dict[weakref.ref[Parameter], Slots] = {}
        self._order: list[weakref.ref[Parameter]] = []  # the parameters of the last build()
        self._owner: Any = None  # a weak reference to the model that it serves
        self._copied: list[Slots] | None = None  # the state of a copy that is not built yet
        self._named: tuple[str, ...] = ()  # what the arrays of each parameter are
        self._backend: Any = None

    @property
    def groups(self) -> Groups:
        """The names of a parameter's arrays, in groups: files have the arrays of all parameters group by group."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of a parameter's arrays, one by one."""
        return tuple(name for group in self.groups for name in group)

    def initial(self, name: str) -> float:
        """What the arrays of that name hold at first."""
        return 0.0

    @property
    def built(self) -> bool:
        return self._backend is not None

    @property
    def has_state(self) -> bool:
        """Whether it has been in use, or is the copy of one that has been."""
        return self.built or self._copied is not None

    @property
    def state(self) -> list[Slots]:
        """The arrays of each parameter that is trained now, in turn."""
        return self._state_of(self._parameters())

    def build(self, parameters: Sequence[Parameter], backend: Any, owner: Any = None) -> None:
        """Have state for these parameters on the backend: the initial one for each that has none.

        owner    the model, with trainable_weights: it may bring other parameters later

        Raises ValueError for parameters of another model.
        """
        first, names = not self.built, self.names
        if not first and (owner is None or self._model() is not owner):
            self._check_known(parameters)
        if self._copied is not None:
            self._adopt(parameters, self._copied)
        if self.built and self._backend is not backend:
            for slots in list(self._state.values()):
                slots[:] = [backend.asarray(self._backend.to_numpy(array)) for array in slots]
        self._backend, self._copied = backend, None
        if owner is not None and (first or parameters):
            self._owner = weakref.ref(owner)
        self._rename(names)
        self._order = [weakref.ref(parameter) for parameter in parameters]
        for parameter in parameters:
            if not self._find(parameter):
                self._keep(parameter, [self._new(name, parameter) for name in names])

    def _new(self, name: str, parameter: Parameter) -> Array:
        array = np.full(parameter.shape, self.initial(name), parameter.dtype)
        return self._backend.asarray(array)

    def _rename(self, names: tuple[str, ...]) -> None:
        """Have the arrays of these names for each parameter that has any, and drop those of others."""
        if names != self._named:
            for reference, slots in list(self._state.items()):
                had, parameter = dict(zip(self._named, slots, strict=True)), reference()
                if parameter is not None:
                    slots[:] = [
                        had[name] if name in had else self._new(name, parameter) for name in names
                    ]
            self._named = names

    def state_of(self, parameters: Sequence[Parameter]) -> list[Slots]:
        """Copies on the host of the arrays of each parameter; none where it has none."""
        return self._on_host([self._find(parameter) or [] for parameter in parameters])

    def without_state(self) -> Self:
        """A copy with the same settings and number of steps alone."""
        copy = object.__new__(type(self))
        copy.__setstate__({**self._bare(), "_copied": None})
        return copy

    def restore(
        self, parameters: Sequence[Parameter], state: list[Slots], backend: Any, owner: Any
    ) -> None:
        """Give parameters the state that state_of() gave, in an optimizer that has none."""
        self._backend, self._copied = backend, None
        self._owner = weakref.ref(owner)
        for parameter, slots in zip(parameters, state, strict=True):
            if slots:
                self._keep(parameter, [backend.asarray(array) for array in slots])
        self.build(owner.trainable_weights, backend, owner)

    def __getstate__(self) -> dict[str, Any]:
        """Settings, and the state in the order of the parameters; neither parameters nor model."""
        copied = self._on_host(self.state) if self.built else self._copied
        return {**self._bare(), "_copied": copied}

    def _bare(self) -> dict[str, Any]:
        hidden = dict.fromkeys(("_state", "_owner", "_backend"))
        return {**vars(self), **hidden, "_order": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _state={})

    def _find(self, parameter: Parameter) -> Slots | None:
        return self._state.get(weakref.ref(parameter))

    def _keep(self, parameter: Parameter, slots: Slots) -> Slots:
        """Make the arrays the state of the parameter, as long as it lives."""
        forget = self._state.pop
        self._state[weakref.ref(parameter, lambda reference: forget(reference, None))] = slots
        return slots

    def _parameters(self) -> list[Parameter]:
        """What is trained now."""
        model = self._model()
        if model is not None:
            trained: list[Parameter] = model.trainable_weights
            return trained
        return [parameter for ref in self._order if (parameter := ref()) is not None]

    def _model(self) -> Any:
        """The model that is served, if there is one and it is still there."""
        return None if self._owner is None else self._owner()

    def _state_of(self, parameters: Sequence[Parameter]) -> list[Slots]:
        """The state of each, which begins for what the model has got or freed since."""
        state = list(map(self._state.get, map(weakref.ref, parameters)))
        if None in state or self.names != self._named:
            model = self._model()
            own = set() if model is None else set(map(id, model.weights))
            mine = all(id(parameter) in own for parameter in parameters)
            self.build(parameters, self._backend, model if mine else None)
            state = list(map(self._find, parameters))
        return state  # type: ignore[return-value]

    def _check_known(self, parameters: Sequence[Parameter]) -> None:
        for parameter in parameters:
            if self._find(parameter) is None:
                raise ValueError(
                    f"{self.name}: an optimizer serves one model, and this one is in use; compile "
                    f"with a new optimizer. Received: {parameter.path}, a weight of another model"
                )

    def _adopt(self, parameters: Sequence[Parameter], state: list[Slots]) -> None:
        expected = [[np.shape(array) for array in slots] for slots in state]
        if expected != [[parameter.shape] * len(self._named) for parameter in parameters]:
            raise ValueError(
                f"{self.name}: an optimizer serves one model, and this is the copy of one whose "
                f"state has the shapes {expected}; compile with a new optimizer. "
                f"Received: weights of shapes {[parameter.shape for parameter in parameters]}"
            )
        self._backend = _Host
        for parameter, slots in zip(parameters, state, strict=True):
            self._keep(parameter, list(slots))

    def _on_host(self, state: list[Slots]) -> list[Slots]:
        return [[np.array(self._backend.to_numpy(a)) for a in slots] for slots in state]


class _Host:
    """Where the state of a copy lies until the copy is built."""

    @staticmethod
    def to_numpy(array: np.ndarray) -> np.ndarray:
        return array
