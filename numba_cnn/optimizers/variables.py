"""The state as a list of arrays in Keras's order: what files have of an optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn.ops import Array
from numba_cnn.optimizers.state import Stateful


class _Number:
    """A number of an optimizer, of which scripts ask what they ask a variable of Keras for."""

    _of: tuple[Any, str]

    def numpy(self) -> Any:
        """What it is now, as NumPy has it."""
        now = getattr(*self._of)
        return np.float32(now) if isinstance(self, float) else np.int64(now)

    def assign(self, value: Any) -> None:
        """Set it on the optimizer."""
        setattr(*self._of, value)

    def __reduce__(self) -> Any:
        kind: Any = float if isinstance(self, float) else int
        return kind, (kind(self),)


class _Rate(_Number, float): ...


class _Count(_Number, int): ...


def variable(value: float, optimizer: Any, name: str) -> Any:
    """The optimizer's number of that name with numpy() and assign()."""
    made: Any = (_Rate if isinstance(value, float) else _Count)(value)
    made._of = optimizer, name
    return made


class Saved(Stateful):
    """What has a state that files keep."""

    scalars: ClassVar[tuple[str, ...]] = ()  # numbers of state, behind the arrays
    learning_rate: float
    _steps: int

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate follows one of optimizers.schedules."""
        raise NotImplementedError

    def state_names(self) -> list[str]:
        """What each of get_variables() is."""
        first = ["iterations"] if self.has_schedule else ["iterations", "learning_rate"]
        count = len(self.state)
        arrays = [name for group in self.groups for _ in range(count) for name in group]
        return [*first, *arrays, *self.scalars]

    def get_variables(self) -> list[np.ndarray]:
        """The state in Keras's order: iterations, the learning rate unless there is a schedule, then the arrays of the
        parameters that are trained, group by group, and single numbers.
        """
        first = [np.array(self._steps, np.int32)]
        if not self.has_schedule:
            first.append(np.array(self.learning_rate, np.float32))
        arrays = [np.array(self._backend.to_numpy(array)) for array in self._in_order()]
        rest = [np.array(getattr(self, f"_{name}"), np.float32) for name in self.scalars]
        return [*first, *arrays, *rest]

    def _in_order(self) -> list[Array]:
        """The arrays as files have them."""
        state, arrays, start = self.state, [], 0
        for group in self.groups:
            stop = start + len(group)
            arrays += [array for slots in state for array in slots[start:stop]]
            start = stop
        return arrays

    def set_variables(self, variables: Sequence[np.ndarray]) -> None:
        """Take over what get_variables gave; ValueError if the shapes differ from the state's."""
        if not isinstance(variables, list | tuple):
            raise ValueError(
                f"{self.name}: the state must be a list of arrays. Received: {variables!r:.80}"
            )
        arrays, first = self._in_order(), 1 if self.has_schedule else 2
        expected = [
            *[()] * first,
            *(array.shape for array in arrays),
            *[() for _ in self.scalars],
        ]
        received = [np.shape(v) for v in variables]
        if expected != received:
            raise ValueError(
                f"{self.name}: expected state of shapes {expected}. Received: {received}"
            )
        self._steps = int(variables[0])
        if not self.has_schedule:
            self.learning_rate = float(variables[1])
        for name, value in zip(self.scalars, variables[first + len(arrays) :], strict=True):
            setattr(self, f"_{name}", float(value))
        made = {
            id(old): self._backend.asarray(np.array(new, old.dtype))
            for old, new in zip(arrays, variables[first : first + len(arrays)], strict=True)
        }
        for slots in self.state:
            slots[:] = [made[id(array)] for array in slots]

    def count_params(self) -> int:
        """The numbers of its state, iterations and learning rate included."""
        return sum(int(array.size) for array in self.get_variables())
