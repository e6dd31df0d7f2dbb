"""compile, and one step of training: the loss, its gradients, the optimizer, the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numba_cnn import backends, nearest, ops, optimizers
from numba_cnn.callbacks import History
from numba_cnn.distributed import Share
from numba_cnn.metrics import Mean, Metric
from numba_cnn.metrics.metric import Averaged
from numba_cnn.models import copying, execution, objectives, plan
from numba_cnn.models.graphs import Arrays, Results
from numba_cnn.models.network import Network
from numba_cnn.models.objectives import Objective
from numba_cnn.models.penalties import Penalties
from numba_cnn.models.structure import one_or_all
from numba_cnn.ops import Array, arguments

Logs = dict[str, float]


class Outcome(NamedTuple):
    """What a function gave of a batch, and what it was given."""

    values: Arrays  # of each objective a loss and metrics, then penalties
    rest: Arrays
    labels: list[Array]
    weights: Sequence[Array | None]
    N: int


class Learner(Network):
    """A network that learns from one batch at a time."""

    _class_names: list[str] | None = None

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.optimizer: optimizers.Optimizer | None = None
        self._objectives: list[Objective] = []  # one an output
        self._penalty = Mean("penalty")  # of regularizers
        self.history: History | None = None
        self.stop_training = False

    @property
    def loss(self) -> Any:
        """The loss that compile() was given, or a list with that of each output; None before."""
        found = [one.loss if one.has_loss else None for one in self._objectives]
        return one_or_all(found) if found else None

    @property
    def class_names(self) -> list[str] | None:
        """What the classes are called, in the order of their numbers, or None: as the data set says that fit() was
        given, or as they are set. .keras files keep them."""
        return None if self._class_names is None else list(self._class_names)

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        listed = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
        if names is not None and not listed:
            raise ValueError(
                f"{type(self).__name__}: class_names must be a list of strings, or None. "
                f"Received: {nearest.shown(names)}"
            )
        self._class_names = None if names is None else list(names)

    @property
    def metrics(self) -> list[Metric]:
        """What compile() was given, as a list of the caller's own."""
        return [metric for objective in self._objectives for metric in objective.metrics]

    @property
    def metrics_names(self) -> list[str]:
        names = ["loss", "compile_metrics"] if self.metrics else ["loss"]
        several = len(self._objectives) > 1
        return names + [one.mean.name for one in self._objectives if several and one.is_logged]

    @property
    def means(self) -> dict[str, Averaged]:
        """What is logged, by name, but for the loss of a model of several outputs, which theirs add up to; of a layer's
        two outputs, which have its name, the later loss, and both metrics."""
        found: dict[str, Averaged] = {}
        for one in self._objectives:
            for name, mean in one.means.items():
                names = (name, *(f"{name}_{k}" for k in range(1, len(found) + 1)))
                found[next(n for n in names if mean is one.mean or n not in found)] = mean
        return found

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
        *,
        backend: str = "auto",
    ) -> None:
        """Choose how to train, and where: "cpu", "cuda", or "auto" for a real GPU if there is one.

        optimizer           a name such as "adam", or an object of optimizers
        loss                a name such as "categorical_crossentropy", a function or an object of losses
        loss_weights        how much the loss of an output counts
        metrics             a list of "accuracy", other names or objects of metrics
        weighted_metrics    the same, by the samples' weights

        For a model of several outputs, loss and loss_weights are one for all, a list, or a dict by the outputs' names;
        None in these is no loss for that output. metrics is a list with an entry, or a list of them, for each output,
        or a dict.

        The others are taken for scripts' sake: kernels are compiled whatever run_eagerly and jit_compile say, a step
        waits for none before it whatever steps_per_execution is, and float32 needs no loss that is scaled.
        """
        execution.check(run_eagerly, steps_per_execution, jit_compile, auto_scale_loss)
        names = self.output_names
        asked = objectives.objectives(names, loss, loss_weights, metrics, weighted_metrics)
        new_optimizer = optimizers.get(optimizer)
        new_backend = chosen_backend("compile", backend)
        if new_optimizer.has_state and self.weights:
            new_optimizer.build(self.trainable_weights, new_backend, self)
        # Nothing can go wrong any more: a call that fails leaves the model as it was.
        self._objectives, self.optimizer = asked, new_optimizer
        self._backend = new_backend
        self._place()

    def train_step(
        self, x: Any, labels: Any, sample_weight: Any = None, share: Share | None = None
    ) -> None:
        """One step of the optimizer on a batch on the model's backend; waits for nothing.

        For a model of several inputs or outputs, lists of arrays. Of a distributed model, x is the `share` of the batch
        that this rank has.
        """
        if self.optimizer is None:
            raise ValueError(
                "train_step: call compile(optimizer, loss) first. Received: an uncompiled model"
            )
        trained = self.trainable_weights
        if not self.optimizer.built:
            self.optimizer.build(trained, self.backend, self)
        if not isinstance(share, Share | None):
            raise TypeError(
                f"train_step: share must be a distributed.Share, or None. Received: {nearest.shown(share)}"
            )
        n, m = len(self._starts), len(self._ends)
        xs, ys = _as_tuple(x, n), _as_tuple(labels, m)
        weights = _as_tuple(sample_weight, m)
        weights = weights * len(ys) if len(weights) == 1 else weights
        gradients = self._gradients(share, *xs, *ys, *weights)
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.gradient = gradient
        self.optimizer.step(trained)

    def _build_optimizer(self) -> None:
        """Have its state for what is trained now."""
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_weights, self.backend, self)

    def _gradients(self, share: Share | None, *arrays: Array | None) -> Arrays:
        """Those of a batch, whose losses and metrics are counted."""
        outcome = self._computed(self._values_and_gradients, *arrays, trains=True)
        self._count(outcome)
        return outcome.rest

    def _test_batch(self, share: Share | None, *arrays: Array | None) -> None:
        """Count the losses and the metrics of a batch."""
        for part in self._in_parts(*arrays):
            self._count(self._computed(self._values, *part))

    def _computed(self, function: Any, *arrays: Array | None, trains: bool = False) -> Outcome:
        """What a function gives of a batch, whose arrays are known to fit."""
        xs, ys, weights = self._split(arrays)
        taken: list[Array] = []
        for names, part in (("x", xs), ("labels", ys)):
            for array in part:
                arguments.given(self.name, **{names: array})
                backends.of(
                    self.name, **{names: array}
                )  # an array, or an error that says what it is
        for objective, end, labels in zip(self._objectives, self._ends, ys, strict=True):
            assert labels is not None
            width = end.shape[-1]
            has_classes = objective.loss.has_classes and objective.loss.ignore_class is None
            if has_classes and width is not None:
                labels = arguments.class_labels(self.name, labels, width)
            taken.append(labels)
        values, rest = self._graphs.run(self, function, *xs, *taken, *weights, trains=trains)
        return Outcome(values, rest, taken, weights, len(xs[0]))

    def _count(self, outcome: Outcome) -> None:
        """Count the losses and the metrics of a batch."""
        values = outcome.values
        for objective, labels, weight in zip(
            self._objectives, outcome.labels, outcome.weights, strict=True
        ):
            count = 1 + len(objective.metrics)
            objective.take(values[:count], labels, weight)
            values = values[count:]
        for penalty in values:
            self._penalty.add(penalty, outcome.N)

    def _split(self, arrays: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
        """Inputs, labels and weights, of arrays in this order."""
        n, m = len(self._starts), len(self._ends)
        if len(arrays) != n + 2 * m:
            raise ValueError(
                f"{self.name}: a batch is x of {n} arrays, labels and sample_weight of {m} each. "
                f"Received: {len(arrays)} arrays"
            )
        return arrays[:n], arrays[n : n + m], arrays[n + m :]

    @property
    def losses(self) -> list[Array]:
        """The penalties of the weights that are trained, each an array of shape ()."""
        trained = self.trainable_weights
        return [p.regularizer(p.value) for p in trained if p.regularizer is not None]

    def _values_and_gradients(self, *arrays: Any) -> Results:
        xs, *targets = self._split(arrays)
        penalties, trained = Penalties(), self.trainable_weights
        steps, cut = self._scored_plan(training=True)
        scores, backward = plan.forward(penalties.of(steps), xs)
        values, dscores = self._losses_and_metrics(scores, cut, *targets)
        values += penalties.total(values[0], trained)
        backward(dscores)
        for parameter in trained:
            if parameter.gradient is None:  # nothing was asked of it: zeros
                parameter.gradient = ops.subtract(parameter.value, parameter.value)
        penalties.add_gradients(trained)
        gradients: Arrays = [parameter.gradient for parameter in trained]
        for parameter in self.weights:
            parameter.gradient = None
        return values, gradients

    def _values(self, *arrays: Any) -> Results:
        xs, *targets = self._split(arrays)
        penalties = Penalties()
        steps, cut = self._scored_plan()
        scores = plan.call(penalties.of(steps), xs)
        values = self._losses_and_metrics(scores, cut, *targets)[0]
        return values + penalties.total(values[0], self.trainable_weights), []

    def _losses_and_metrics(
        self, scores: Arrays, cut: Sequence[Any], labels: Sequence[Any], weights: Sequence[Any]
    ) -> tuple[Arrays, Arrays]:
        """The losses and metrics of a batch, and the gradients of the loss with respect to the scores."""
        values, gradients = [], []
        for objective, *of_output in zip(
            self._objectives, scores, cut, labels, weights, strict=True
        ):
            found, gradient = objective.of_batch(*of_output)
            values += found
            gradients.append(gradient)
        return values, gradients

    def _scored_plan(self, training: bool = False) -> tuple[plan.Plan, list[Any]]:
        """What the passes of training or testing run, up to the scores where a loss takes them; and for each output
        the layer that is cut short there, or None."""
        return plan.scored(self._plan(training), [one.loss.activations for one in self._objectives])

    def _parts(self) -> list[Any]:
        asked = [(one, one.loss, *one.metrics) for one in self._objectives]
        return [*super()._parts(), *(part for parts in asked for part in parts)]

    def __getstate__(self) -> dict[str, Any]:
        return copying.state_of(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        copying.restore(self, state)

    def reset_metrics(self) -> None:
        for objective in self._objectives:
            objective.reset()
        self._penalty.reset_state()

    def read_metrics(self) -> Logs:
        """The means since reset_metrics(), by name in alphabetical order; waits for a device."""
        logs = {name: mean.result() for name, mean in sorted(self.means.items())}
        losses = sum(one.weight * one.mean.result() for one in self._objectives)
        logs["loss"] = losses + self._penalty.result()
        return nearest.Logged(sorted(logs.items()))


def _as_tuple(given: Any, count: int) -> tuple[Any, ...]:
    """What is given for so many inputs or outputs; for one, a list is no array, and an error will say so."""
    return tuple(given) if isinstance(given, list | tuple) and count > 1 else (given,)


def chosen_backend(op: str, name: Any) -> Any:
    """The backend of that name; ValueError for what is no name."""
    if not isinstance(name, str):
        raise ValueError(f"{op}: backend must be a name. Received: {nearest.shown(name)}")
    return backends.get(name)
