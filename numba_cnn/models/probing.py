"""What lies between a model's input and its output: the gradients and the arrays of its layers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from numba_cnn import nearest, ops
from numba_cnn.layers import Layer
from numba_cnn.layers.stand_in import StandIn
from numba_cnn.models import data, plan, structure
from numba_cnn.models.on_batch import OnBatch
from numba_cnn.models.structure import one_or_all
from numba_cnn.ops import Array
from numba_cnn.settings import flag

_SCORED = "softmax", "sigmoid"


class Probe(NamedTuple):
    """Of one batch: the model's outputs; of each place that was asked for what is there, and its gradient."""

    outputs: list[Array]
    values: list[Array]
    gradients: list[Array]


class _Tap(StandIn):
    """A step that keeps what a layer gives, and its gradient; without a layer what comes by."""

    def __init__(self, layer: Any = None) -> None:
        super().__init__(layer)
        self.value: Any = None
        self.gradient: Any = None

    @property
    def trainable_weights(self) -> list[Any]:
        return [self]  # so that a gradient is brought here

    def call(self, *arrays: Array) -> Array:
        self.value = arrays[0] if self.layer is None else self.layer.call(*arrays)
        return self.value

    def forward(self, *arrays: Array) -> tuple[Array, Any]:
        if self.layer is None:
            self.value, below = arrays[0], _nothing_below
        else:
            self.value, below = self.layer.forward(*arrays)

        def backward(dy: Array, *needs: Any, **need: Any) -> Any:
            self.gradient = dy
            return below(dy, *needs, **need)

        return self.value, backward


class _Fixed(StandIn):
    """A layer whose weights are not trained: where nothing is asked of what lies below, it only computes."""

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        self.call, self.forward = layer.call, layer.forward

    @property
    def trainable_weights(self) -> list[Any]:
        return []


class _Clock(StandIn):
    """A layer that notes how long its calls take."""

    def __init__(self, layer: Any, backend: Any) -> None:
        super().__init__(layer)
        self._backend, self.seconds = backend, list[float]()

    def call(self, *arrays: Array) -> Array:
        start = time.perf_counter()
        y: Array = self.layer.call(*arrays)
        self._backend.synchronize()
        self.seconds.append(time.perf_counter() - start)
        return y


def _nothing_below(dy: Array, *needs: Any, **need: Any) -> None:
    """Beside an input there is nothing to bring a gradient to."""


class Probed(OnBatch):
    """A model that also says how its outputs hang on its inputs."""

    def gradients(
        self,
        x: Any,
        dy: Any = None,
        layer: Any = None,
        scores: bool = False,
        batch_size: int | None = None,
    ) -> Any:
        """The gradient of sum(dy * model(x)) with respect to x, by inference: nothing acts as in training.

        x           samples (N, ...), or a list or a dict of them for several inputs
        dy          what each output counts, an array of the outputs' shape (a list or a dict for several); None: 1 for
                    the largest number of each sample's last axis, so that it is the class that the model says
        layer       a layer of the model, or its name: the gradient is with respect to what that gives, when it is
                    called last
        scores      whether outputs are taken before their last softmax or sigmoid, whose gradients vanish where the
                    model is sure
        returns     float32, of the shape of x (a list for several inputs), or of what the layer gives

        Raises ValueError for arrays that do not fit the model, and for a layer that it does not have.
        """
        taken = flag("gradients", "scores", scores)
        found = [
            [np.array(self.backend.to_numpy(one)) for one in probe.gradients]
            for probe in self._probes("gradients", x, dy, layer, taken, batch_size)
        ]
        return one_or_all([np.concatenate(parts) for parts in zip(*found, strict=True)])

    def _probes(
        self, op: str, x: Any, dy: Any, layer: Any, scores: bool, batch_size: int | None = None
    ) -> Iterator[Probe]:
        """One of each batch, at a layer or at the inputs."""
        batches = self._samples(op, x, batch_size, None)
        place = None if layer is None else self._leaf(op, layer)
        weights = None if dy is None else self._weights_of_outputs(op, x, dy)
        done = 0
        with closing(batches.epoch(0)) as passing:
            for xs, *_ in passing:
                N = len(xs[0])
                mine = None if weights is None else [one[done : done + N] for one in weights]
                done += N
                yield self._probe(xs, mine, place, scores)

    def _probe(
        self, xs: Sequence[Any], dy: Sequence[np.ndarray] | None, place: Any, scores: bool
    ) -> Probe:
        steps = plan.Steps(len(self._starts))
        taps = [_Tap() for _ in self._starts] if place is None else []
        slots = [steps.add(tap, (i,))[0] for i, tap in enumerate(taps)] or steps.inputs
        with steps.called(False):
            made = steps.plan(self._add_steps(steps, tuple(slots)))
        if scores:
            made = plan.scored(made, [_SCORED] * len(made.outputs))[0]
        made, more = _tapped(made, place)
        taps += more
        outputs, backward = plan.forward(made, xs)
        numbers = [self.backend.to_numpy(one) for one in outputs]
        weights = map(_of_largest, numbers) if dy is None else dy
        pairs = zip(weights, numbers, strict=True)
        backward([self.backend.asarray(w.astype(y.dtype)) for w, y in pairs])
        for parameter in self.weights:
            parameter.gradient = None
        gradients = [  # zeros where no output hangs on the place
            ops.subtract(tap.value, tap.value) if tap.gradient is None else tap.gradient
            for tap in taps
        ]
        return Probe(outputs, [tap.value for tap in taps], gradients)

    def _values_of_layers(self, x: Any) -> list[tuple[Layer, np.ndarray]]:
        """What each layer gives for one batch, in the order in which they run, those of models inside too."""
        xs, *_ = next(self._samples("values_of_layers", x, len(x), None).epoch(0))
        steps = plan.Steps(len(self._starts))
        made = steps.plan(self._add_steps(steps, steps.inputs))
        tapped = [step._replace(layer=_Tap(step.layer)) for step in made.steps]
        plan.call(made._replace(steps=tuple(tapped)), xs)
        taps = [step.layer for step in tapped]
        return [(_layer_of(tap), np.array(self.backend.to_numpy(tap.value))) for tap in taps]

    def _seconds_of_layers(self, x: Any, rounds: int) -> list[tuple[Layer, list[float]]]:
        """How long each layer's call takes in each of so many passes, called from Python one by one."""
        xs, *_ = next(self._samples("seconds_of_layers", x, len(x), None).epoch(0))
        steps = plan.Steps(len(self._starts))
        made = steps.plan(self._add_steps(steps, steps.inputs))
        clocks = [_Clock(step.layer, self.backend) for step in made.steps]
        timed = [s._replace(layer=clock) for s, clock in zip(made.steps, clocks, strict=True)]
        for _ in range(rounds):
            plan.call(made._replace(steps=tuple(timed)), xs)
        return [(_layer_of(clock), clock.seconds) for clock in clocks]

    def _leaf(self, op: str, layer: Any) -> Layer:
        """The layer that is asked for, by itself or by its name, also within models inside."""
        leaves = self._leaves()
        for leaf in leaves:
            if leaf is layer or (isinstance(layer, str) and leaf.name == layer):
                return leaf
        names = [leaf.name for leaf in leaves]
        raise ValueError(
            f"{op}: layer must be one of the model's, or its name{nearest.hint(layer, names, 'layers')}: "
            f"{', '.join(names)}. Received: {nearest.shown(layer)}"
        )

    def _weights_of_outputs(self, op: str, x: Any, dy: Any) -> list[np.ndarray]:
        """dy as an array for each output, checked against the outputs' shapes."""
        N = len(self._inputs(op, x)[0])
        given = structure.arrays(op, "dy", dy, self.output_names, lambda one: one.shape[:1] == (N,))
        found = []
        for one, end in zip(given, self._ends, strict=True):
            array = data.array(op, "dy", one)
            fits = array.ndim == len(end.shape) and len(array) == N
            fits = fits and all(
                e in (None, a) for a, e in zip(array.shape[1:], end.shape[1:], strict=True)
            )
            if not fits or array.dtype.kind not in "fiub" or not data.finite(array):
                raise ValueError(
                    f"{op}: dy must be finite numbers of the outputs' shape {(N, *end.shape[1:])}. "
                    f"Received: {nearest.shown(one)}"
                )
            found.append(array)
        return found


def _tapped(made: plan.Plan, place: Layer | None) -> tuple[plan.Plan, list[_Tap]]:
    """The plan with fixed layers, and with a tap on the last step of one of them."""
    steps, taps = list(made.steps), list[_Tap]()
    for i in reversed(range(len(steps))):
        layer = steps[i].layer
        if isinstance(layer, _Tap):
            continue
        if not taps and place is not None and _layer_of(layer) is place:
            layer = _Tap(layer)
            taps.append(layer)
        else:
            layer = _Fixed(layer)
        steps[i] = steps[i]._replace(layer=layer)
    if place is not None and not taps:
        raise ValueError(
            f"gradients: layer must be one that runs in inference. Received: {place.name}"
        )
    return made._replace(steps=tuple(steps)), taps


def _layer_of(stand_in: Any) -> Any:
    """The layer of the model's that a step runs."""
    while isinstance(stand_in, StandIn):
        stand_in = stand_in.layer
    return stand_in


def _of_largest(y: np.ndarray) -> np.ndarray:
    """1 at the largest number of each sample's last axis, 0 elsewhere."""
    weights = np.zeros_like(y)
    np.put_along_axis(weights, y.argmax(-1)[..., None], 1, axis=-1)
    return weights
