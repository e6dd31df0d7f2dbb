"""What all optimizers share: settings, and state that belongs to parameters."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Checked, Settings, integer, number, text

Slots = list[Array]  # the arrays of state of one parameter, of its shape


class Optimizer(Checked):
    """Changes parameters against their gradients.

    Each parameter has `slots` arrays of state (Adam: momentum, velocity), which begin at zero. They
    belong to that parameter, and live as long as it does: what is frozen keeps its state. A copy of
    an optimizer has the state without the parameters; it goes to those that the copy is first built
    for.
    """

    slots = 0  # arrays of state per parameter
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"ema_momentum": (0.99,)}
    _settings: ClassVar[Settings] = {
        "learning_rate": number(0),
        "name": text,
        "iterations": integer(0),
    }

    def __init__(self, learning_rate: float, name: str | None) -> None:
        self.learning_rate = learning_rate
        self.name = type(self).__name__.lower() if name is None else name
        self.iterations = 0
        # What WeakKeyDictionary is, looked up in C: every step does, for each parameter.
        self._state: dict[weakref.ref[Parameter], Slots] = {}
        self._order: list[weakref.ref[Parameter]] = []  # the parameters of the last build()
        self._owner: Any = None  # a weak reference to the model that it serves
        self._copied: list[Slots] | None = None  # the state of a copy that is not built yet
        self._backend: Any = None

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
        """Have state for these parameters on the backend: zeros for each that has none.

        owner    the model, with trainable_weights: it may bring other parameters later

        Raises ValueError for parameters of another model.
        """
        first = not self.built
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
        self._order = [weakref.ref(parameter) for parameter in parameters]
        for parameter in parameters:
            slots = self._keep(parameter, self._find(parameter) or [])
            del slots[self.slots :]
            for _ in range(self.slots - len(slots)):
                slots.append(backend.asarray(np.zeros(parameter.shape, parameter.dtype)))

    def step(self, parameters: Sequence[Parameter]) -> None:
        """Update the parameters and give up their gradients, whose memory the next step reuses."""
        state = self._state_of(parameters)
        vars(self)["iterations"] += 1  # unchecked: it is what it was, plus 1
        for parameter, slots in zip(parameters, state, strict=True):
            self._update(parameter.value, parameter.gradient, *slots)
            parameter.gradient = None

    def _update(self, parameter: Array, gradient: Array, *state: Array) -> None:
        raise NotImplementedError

    def get_variables(self) -> list[np.ndarray]:
        """The state in Keras's order: iterations, learning rate, the arrays of each parameter that is trained."""
        scalars = [np.array(self.iterations, np.int32), np.array(self.learning_rate, np.float32)]
        return scalars + [array for slots in self._on_host(self.state) for array in slots]

    def set_variables(self, variables: Sequence[np.ndarray]) -> None:
        """Take over what get_variables gave; ValueError if the shapes differ from the state's."""
        if not isinstance(variables, list | tuple):
            raise ValueError(
                f"{self.name}: the state must be a list of arrays. Received: {variables!r:.80}"
            )
        state = self.state
        expected = [(), (), *(a.shape for slots in state for a in slots)]
        received = [np.shape(v) for v in variables]
        if expected != received:
            raise ValueError(
                f"{self.name}: expected state of shapes {expected}. Received: {received}"
            )
        self.iterations, self.learning_rate = int(variables[0]), float(variables[1])
        arrays = iter(variables[2:])
        for slots in state:
            slots[:] = [self._backend.asarray(np.array(next(arrays), a.dtype)) for a in slots]

    def count_params(self) -> int:
        """The numbers of its state, iterations and learning rate included."""
        return 2 + sum(int(np.prod(a.shape)) for slots in self.state for a in slots)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "learning_rate": self.learning_rate}

    def state_of(self, parameters: Sequence[Parameter]) -> list[Slots]:
        """Copies on the host of the arrays of each parameter; none where it has none."""
        return self._on_host([self._find(parameter) or [] for parameter in parameters])

    def without_state(self) -> Optimizer:
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
        """The model that the optimizer serves, if there is one and it is still there."""
        return None if self._owner is None else self._owner()

    def _state_of(self, parameters: Sequence[Parameter]) -> list[Slots]:
        """The state of each, which begins at zero for what the model has got or freed since."""
        state = list(map(self._state.get, map(weakref.ref, parameters)))
        if None in state or [*map(len, state)].count(self.slots) < len(state):  # type: ignore[arg-type]
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
        if expected != [[parameter.shape] * self.slots for parameter in parameters]:
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
