"""What all optimizers share: settings, the order of a step, and files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, registry
from numba_cnn.ops import Array
from numba_cnn.optimizers import schedules
from numba_cnn.optimizers.state import Groups
from numba_cnn.optimizers.variables import Saved, variable
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, flag, integer, number, optional, text

Step = Callable[..., None]  # (parameter, gradient, *state): one parameter's update, in place
_optional_number = optional(number(0))


class Optimizer(Saved):
    """Changes parameters against their gradients.

    A step clips the gradients, lets the weights decay, and updates them; then come their moving averages and their
    constraints.

    learning_rate                   a number, or one of optimizers.schedules
    weight_decay                    weights lose this share of theirs times the learning rate before each update
    clipnorm                        no gradient is longer than this
    clipvalue                       no number of a gradient is larger than this
    global_clipnorm                 all gradients together are not longer than this; one of the three at most
    use_ema                         keep moving averages of the weights, by ema_momentum, which take the weights' place
                                    every ema_overwrite_frequency steps, and when fit() ends
    gradient_accumulation_steps     update by the mean gradient of so many steps, in the last of them
    loss_scale_factor               kept for files: kernels compute in float32, where a loss that is multiplied, and
                                    gradients that are divided again, change nothing
    """

    _settings: ClassVar[Settings] = {
        "learning_rate": schedules.learning_rate,
        "weight_decay": _optional_number,
        "clipnorm": _optional_number,
        "clipvalue": _optional_number,
        "global_clipnorm": _optional_number,
        "use_ema": flag,
        "ema_momentum": number(0, 1),
        "ema_overwrite_frequency": optional(integer(1)),
        "loss_scale_factor": optional(number(above=0)),
        "gradient_accumulation_steps": optional(integer(2)),
        "name": text,
        "iterations": integer(0),
    }

    def __init__(
        self,
        learning_rate: Any,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._rate: Any = 0.0
        self._steps = 0  # of training; as many updates where gradients are not accumulated
        self.swapped = False  # whether weights and averages are exchanged now
        self.learning_rate = learning_rate
        self.name = type(self).__name__.lower() if name is None else name
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        named = [f"{key}={value}" for key, value in given.items() if value is not None]
        if len(named) > 1:
            raise ValueError(
                f"{type(self).__name__}: only one of clipnorm, clipvalue and global_clipnorm can be set. "
                f"Received: {', '.join(named)}"
            )
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._undecayed: tuple[frozenset[str], str | None] = frozenset(), None

    @property
    def learning_rate(self) -> float:
        """That of the next step, or what decay= divides; setting it is an error where a schedule says what it is."""
        rate = self._rate if self.schedule is None else self.schedule(self._steps)
        if self.has_schedule and self.takes_rate:
            rate = self._rate.initial_learning_rate
        return variable(float(rate), self, "learning_rate")  # type: ignore[no-any-return]

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.has_schedule and not isinstance(value, schedules.LearningRateSchedule):
            if not self.takes_rate:
                raise TypeError(
                    f"{self.name}: learning_rate cannot be set, since a schedule says what it is; give the optimizer a "
                    f"number to begin with. Received: {value}"
                )
            value = schedules.decaying(value, self._rate.decay_rate)
        self._rate = value

    lr = nearest.renamed("lr", "learning_rate")

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate follows one of optimizers.schedules."""
        return self.schedule is not None

    @property
    def schedule(self) -> schedules.LearningRateSchedule | None:
        """The schedule, if there is one."""
        return self._rate if isinstance(self._rate, schedules.LearningRateSchedule) else None

    @property
    def takes_rate(self) -> bool:
        """Whether the learning rate can be set: there is no schedule, or the one that decay= means."""
        return self.schedule is None or self.schedule.is_of_decay

    @property
    def iterations(self) -> int:
        """The number of updates so far."""
        steps = self._steps // (self.gradient_accumulation_steps or 1)
        return variable(steps, self, "iterations")  # type: ignore[no-any-return]

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._steps = value * (self.gradient_accumulation_steps or 1)

    @property
    def own_groups(self) -> Groups:
        """Those of the class itself, behind what all optimizers may have."""
        return ()

    @property
    def groups(self) -> Groups:
        shared: Groups = (("average",),) if self.use_ema else ()
        if self.gradient_accumulation_steps:
            shared += (("gradient_accumulator",),)
        return shared + self.own_groups

    def step(self, parameters: Sequence[Parameter]) -> None:
        """Update the parameters and give up their gradients, whose memory the next step reuses."""
        state = self._state_of(parameters)
        parts = self.gradient_accumulation_steps
        shared = bool(self.use_ema) + bool(parts)
        if not parts:
            self._update(parameters, state, shared)
        else:
            last = (self._steps + 1) % parts == 0
            for parameter, slots in zip(parameters, state, strict=True):
                sums, gradient = slots[shared - 1], parameter.gradient
                share = 1 / parts if last else 1.0
                into, other = (gradient, sums) if last else (sums, gradient)
                self._rule("blend", share, share)(into, other)
            if last:
                self._update(parameters, state, shared)
                for slots in state:
                    self._rule("clip", 0.0, 0.0)(slots[shared - 1], slots[shared - 1])
        if self.use_ema:
            self._average(parameters, [slots[0] for slots in state])
        for parameter in parameters:
            parameter.gradient = None
            if parameter.constraint is not None:
                parameter.constraint.apply(self._backend, parameter.value)
        self._steps += 1

    def _update(
        self, parameters: Sequence[Parameter], state: Sequence[list[Array]], shared: int
    ) -> None:
        """Clip, decay, update; the optimizer's own arrays come behind `shared` others."""
        if self.clipnorm or self.clipvalue or self.global_clipnorm:
            self._clip([parameter.gradient for parameter in parameters])
        rate = self._rate if self.schedule is None else self.schedule(self._steps)
        if self.weight_decay is not None:
            decay = self._rule("scale", 1 - self.weight_decay * rate)
            for parameter in filter(self._decays, parameters):
                decay(parameter.value, parameter.value)
        step = self._stepper(rate)
        for parameter, slots in zip(parameters, state, strict=True):
            step(parameter.value, parameter.gradient, *slots[shared:])

    def _stepper(self, rate: float) -> Step:
        """What updates one parameter in this step, in which all have the same constants."""
        raise NotImplementedError

    def _rule(self, rule: str, *constants: float) -> Step:
        """An update by one of the backends' rules."""
        update = self._backend.update

        def step(parameter: Array, gradient: Array, *state: Array) -> None:
            update(parameter, gradient, *state, *[None] * (3 - len(state)), rule, constants)

        return step

    def _clip(self, gradients: Sequence[Any]) -> None:
        backend = self._backend
        if self.clipvalue:
            clip = self._rule("clip", -self.clipvalue, self.clipvalue)
            for gradient in gradients:
                clip(gradient, gradient)
            return
        limit = self.clipnorm or self.global_clipnorm
        together = [gradients] if self.global_clipnorm else [[gradient] for gradient in gradients]
        for group in together:
            if group:
                squares = backend.asarray(np.zeros((), group[0].dtype))
                for gradient in group:
                    backend.add_norms(gradient, 0.0, 1.0, squares)
                for gradient in group:
                    backend.clip_by_norm(gradient, squares, limit)

    def _average(self, parameters: Sequence[Parameter], averages: Sequence[Array]) -> None:
        """Bring the moving averages on, which take the weights' place where it is time."""
        momentum = self.ema_momentum if self.iterations else 0.0
        blend = self._rule("blend", momentum, 1 - momentum)
        for parameter, average in zip(parameters, averages, strict=True):
            blend(average, parameter.value)
        frequency = self.ema_overwrite_frequency
        if frequency and (self.iterations + 1) % frequency == 0:
            self._overwrite(parameters, averages)

    def _overwrite(self, parameters: Sequence[Parameter], averages: Sequence[Array]) -> None:
        take = self._rule("blend", 0.0, 1.0)
        for parameter, average in zip(parameters, averages, strict=True):
            take(parameter.value, average)

    def finalize_variable_values(self, var_list: Sequence[Parameter]) -> None:
        """Give the parameters their moving averages, if there are any: what fit() ends with."""
        if self.use_ema and self.built and self._steps:
            if self.swapped:
                self.swap_averages(var_list)
            self._overwrite(var_list, [slots[0] for slots in self._state_of(var_list)])

    def swap_averages(self, parameters: Sequence[Parameter]) -> None:
        """Exchange the parameters' values with their moving averages, in place."""
        take, backend = self._rule("blend", 0.0, 1.0), self._backend
        for parameter, (average, *_) in zip(parameters, self._state_of(parameters), strict=True):
            kept = backend.asarray(np.array(backend.to_numpy(parameter.value)))
            take(parameter.value, average)
            take(average, kept)
        self.swapped = not self.swapped

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Parameter] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Have these parameters, and those whose name one of the patterns is found in, not decay; before build()."""
        op = "exclude_from_weight_decay"
        if self.built:
            raise ValueError(
                f"{op}: say so before the optimizer is in use. Received: {self.name}, in use"
            )
        for name, given, kind in (
            ("var_list", var_list, Parameter),
            ("var_names", var_names, str),
        ):
            if given is not None and not (
                isinstance(given, list | tuple) and all(isinstance(one, kind) for one in given)
            ):
                what = "weights" if kind is Parameter else "strings"
                raise ValueError(
                    f"{op}: {name} must be a list of {what}. Received: {nearest.shown(given)}"
                )
        pattern = "|".join(sorted(set(var_names))) if var_names else None
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{op}: var_names: {error}. Received: {var_names}") from error
        self._undecayed = frozenset(parameter.path for parameter in var_list or ()), pattern

    def _decays(self, parameter: Parameter) -> bool:
        paths, pattern = self._undecayed
        named = pattern is not None and re.search(pattern, parameter.name) is not None
        return parameter.path not in paths and not named

    def get_config(self) -> dict[str, Any]:
        rate = self._rate
        if self.has_schedule:
            rate = registry.describe("optimizers.schedules", rate)
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        shared = {name: getattr(self, name) for name in names}
        return {"name": self.name, "learning_rate": rate, **shared}
