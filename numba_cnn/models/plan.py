"""What a model's passes run: steps from slot to slot, and the two ways to run them.

A slot holds one array: an input of the model, or what a step gives. Slots die with the last step that reads them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from numba_cnn import ops
from numba_cnn.layers.fusion import pooled
from numba_cnn.layers.scores import Scores, ends_in
from numba_cnn.layers.stand_in import Decided
from numba_cnn.ops import Array

Arrays = list[Array]


class Step(NamedTuple):
    """A layer, or what stands for several, the slots that it reads and the one that it fills."""

    layer: Any
    inputs: tuple[int, ...]
    output: int


class Plan(NamedTuple):
    """Steps in an order in which each finds its inputs; which slots are the model's own inputs and outputs."""

    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def consumers(self) -> Counter[int]:
        """How many steps, and outputs of the model, read each slot."""
        read = Counter(slot for step in self.steps for slot in step.inputs)
        read.update(self.outputs)
        return read


class Steps:
    """Makes a plan: each layer adds its step, and a model inside of another the steps of all its layers."""

    def __init__(self, inputs: int, training: bool = False) -> None:
        self._inputs, self._steps, self._slots = tuple(range(inputs)), list[Step](), inputs
        self._pass = training
        self._training: bool | None = None

    @property
    def trains(self) -> bool:
        """Whether what is added now runs in training."""
        return self._pass if self._training is None else self._training

    @property
    def inputs(self) -> tuple[int, ...]:
        return self._inputs

    def add(self, layer: Any, inputs: tuple[int, ...]) -> tuple[int]:
        """Run a layer on slots; the slot that it fills."""
        if self._training is not None and layer.acts_in_training:
            layer = Decided(layer, self._training)
        output, self._slots = self._slots, self._slots + 1
        self._steps.append(Step(layer, inputs, output))
        return (output,)

    @contextmanager
    def called(self, training: bool | None) -> Iterator[None]:
        """What is added inside is of a layer that was called with that training=; None changes nothing."""
        outer = self._training
        self._training = outer if training is None else training
        yield
        self._training = outer

    def plan(self, outputs: tuple[int, ...]) -> Plan:
        return Plan(tuple(self._steps), self._inputs, outputs)


def fused(plan: Plan) -> Plan:
    """The plan with a step for each two layers that run as one, where nobody else reads what lies between them."""
    steps: list[Step] = []
    made: dict[int, int] = {}  # slot -> place of the step that fills it
    left = plan.consumers()
    for step in plan.steps:
        place = (
            made.get(step.inputs[0])
            if len(step.inputs) == 1 and left[step.inputs[0]] == 1
            else None
        )
        both = None if place is None else pooled(steps[place].layer, step.layer)
        if place is None or both is None:
            made[step.output] = len(steps)
            steps.append(step)
        else:
            steps[place] = Step(both, steps[place].inputs, step.output)
            made[step.output] = place
    return plan._replace(steps=tuple(steps))


def scored(plan: Plan, names: Sequence[tuple[str, ...]]) -> tuple[Plan, list[Any]]:
    """The plan whose outputs are scores, where they come from layers that end in one of the activations named for each
    and nobody else reads them; and for each output the layer whose activation it lacks, or None.
    """
    steps, places = list(plan.steps), {step.output: i for i, step in enumerate(plan.steps)}
    read = plan.consumers()
    cut: list[Any] = []
    for slot, activations in zip(plan.outputs, names, strict=True):
        layer: Any = steps[places[slot]].layer if slot in places and read[slot] == 1 else None
        cut.append(layer if ends_in(layer, activations) else None)
        if cut[-1] is not None:
            steps[places[slot]] = steps[places[slot]]._replace(layer=Scores(layer))
    return plan._replace(steps=tuple(steps)), cut


def widest(plan: Plan) -> int:
    """How many numbers a step takes and gives for one sample, at most."""
    return max((_numbers(step.layer) for step in plan.steps), default=0)


def _numbers(layer: Any) -> int:
    inputs = layer.input_shape if isinstance(layer.input_shape, list) else [layer.input_shape or ()]
    ends = [*inputs, layer.output_shape or ()]
    return sum(math.prod(n or 1 for n in shape) for shape in ends)


def call(plan: Plan, inputs: Sequence[Array]) -> Arrays:
    """The outputs for a batch; nothing is remembered."""
    slots, left = dict(zip(plan.inputs, inputs, strict=True)), plan.consumers()
    for step in plan.steps:
        slots[step.output] = step.layer.call(*_read(step, slots, left))
    return [slots[slot] for slot in plan.outputs]


def forward(plan: Plan, inputs: Sequence[Array]) -> tuple[Arrays, Callable[..., None]]:
    """(outputs, backward): training. backward(doutputs) leaves the gradient of every trainable parameter, and calls
    done(step), if it is given, behind each step's.

    What a step remembers is freed as soon as its backward pass is done. Where no trainable parameter lies below,
    nothing is remembered, but layers that act in training act.
    """
    slots, left = dict(zip(plan.inputs, inputs, strict=True)), plan.consumers()
    needed: set[int] = set()  # slots whose gradient some parameter below needs
    passes: list[tuple[Step, tuple[bool, ...], Any]] = []
    for step in plan.steps:
        need = tuple(slot in needed for slot in step.inputs)
        arrays = _read(step, slots, left)
        if any(need) or step.layer.trainable_weights:
            slots[step.output], step_backward = step.layer.forward(*arrays)
            passes.append((step, need, step_backward))
            needed.add(step.output)
        elif step.layer.acts_in_training:
            slots[step.output] = step.layer.forward(*arrays)[0]
        else:
            slots[step.output] = step.layer.call(*arrays)
        del arrays

    def backward(doutputs: Arrays, done: Callable[[Step], None] | None = None) -> None:
        gradients: dict[int, Array] = {}
        for slot, gradient in zip(plan.outputs, doutputs, strict=True):
            _add(gradients, slot, gradient)
        while passes:
            step, need, step_backward = passes.pop()
            dy = gradients.pop(step.output, None)
            if dy is not None:  # an output of which something is asked
                for slot, dx in zip(step.inputs, _gradients(step_backward, dy, need), strict=True):
                    if dx is not None:
                        _add(gradients, slot, dx)
            if done is not None:
                done(step)

    return [slots[slot] for slot in plan.outputs], backward


def _read(step: Step, slots: dict[int, Array], left: Counter[int]) -> Arrays:
    """The step's inputs; slots that nobody reads any more die."""
    arrays = [slots[slot] for slot in step.inputs]
    for slot in step.inputs:
        left[slot] -= 1
        if not left[slot]:
            slots.pop(slot)
    return arrays


def _gradients(step_backward: Any, dy: Array, need: tuple[bool, ...]) -> Sequence[Array | None]:
    """The gradient of each input, None where none is needed."""
    if len(need) == 1:
        return (step_backward(dy, need_dx=need[0]),)
    gradients: Sequence[Array | None] = step_backward(dy, need)
    return gradients


def _add(gradients: dict[int, Array], slot: int, gradient: Array) -> None:
    """Keep a slot's gradient; of two consumers they add up, in the order of steps."""
    gradients[slot] = ops.add(gradients[slot], gradient) if slot in gradients else gradient
