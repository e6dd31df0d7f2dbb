"""compile, and one step of training: the loss, its gradients, the optimizer, the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba_cnn import backends, losses, nearest, optimizers
from numba_cnn.callbacks import History
from numba_cnn.layers.scores import ends_in
from numba_cnn.metrics import Mean, Metric
from numba_cnn.metrics import get as get_metric
from numba_cnn.models import copying, execution, plan
from numba_cnn.models.graphs import Arrays, Results
from numba_cnn.models.network import Network
from numba_cnn.models.penalties import Penalties
from numba_cnn.ops import Array, arguments

Logs = dict[str, float]


class Learner(Network):
    """A network that learns from one batch at a time."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.optimizer: optimizers.Optimizer | None = None
        self.loss: losses.Loss | None = None
        self._metrics: list[Metric] = []
        self.history: History | None = None
        self.stop_training = False
        self._mean_loss = Mean("loss")

    @property
    def metrics(self) -> list[Metric]:
        """What compile() was given, as a list of the caller's own."""
        return list(self._metrics)

    @property
    def losses(self) -> list[Array]:
        """The penalties of the weights that are trained, each an array of shape ()."""
        trained = self.trainable_weights
        return [p.regularizer(p.value) for p in trained if p.regularizer is not None]

    @property
    def metrics_names(self) -> list[str]:
        return ["loss", "compile_metrics"] if self.metrics else ["loss"]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
        *,
        backend: str = "auto",
    ) -> None:
        """Choose how to train, and where: "cpu", "cuda", or "auto" for a real GPU if there is one.

        optimizer    "adam", "sgd", "rmsprop", or an object of optimizers
        loss         a name such as "categorical_crossentropy", or an object of losses
        metrics      a list of "accuracy", other names or objects of metrics
        weighted_metrics    the same, by the samples' weights

        The others are taken for scripts' sake: kernels are compiled whatever run_eagerly and jit_compile say, a step
        waits for none before it whatever steps_per_execution is, and float32 needs no loss that is scaled.
        """
        execution.check(run_eagerly, steps_per_execution, jit_compile, auto_scale_loss)
        new_loss, new_optimizer = losses.get(loss), optimizers.get(optimizer)
        new_metrics = _metrics("metrics", metrics)
        for metric in _metrics("weighted_metrics", weighted_metrics):
            metric.weighted = True
            new_metrics.append(metric)
        if new_loss.ignore_class is not None:  # a label that kernels refuse
            for metric in new_metrics:
                metric.has_kernels = False
        new_backend = chosen_backend("compile", backend)
        if new_optimizer.has_state and self.weights:
            new_optimizer.build(self.trainable_weights, new_backend, self)
        # Nothing can go wrong any more: a call that fails leaves the model as it was.
        self.loss, self.optimizer, self._metrics = new_loss, new_optimizer, new_metrics
        self._backend = new_backend
        self._place([*self.weights, *self.states])

    def train_step(self, x: Array, labels: Array, sample_weight: Array | None = None) -> None:
        """One step of the optimizer on a batch on the model's backend; waits for nothing."""
        if self.optimizer is None:
            raise ValueError(
                "train_step: call compile(optimizer, loss) first. Received: an uncompiled model"
            )
        trained = self.trainable_weights
        if not self.optimizer.built:
            self.optimizer.build(trained, self.backend, self)
        gradients = self._run(self._values_and_gradients, x, labels, sample_weight, trains=True)
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.gradient = gradient
        self.optimizer.step(trained)

    def _run(
        self,
        function: Any,
        x: Array,
        labels: Array,
        sample_weight: Array | None,
        *,
        trains: bool = False,
    ) -> Arrays:
        """Count the loss and the metrics that a function gives of a batch; returns what else it gives."""
        assert self.loss is not None
        arguments.given(self.name, x=x, labels=labels)
        for name, array in (("x", x), ("labels", labels)):
            backends.of(self.name, **{name: array})  # an array, or an error that says what it is
        if self.loss.has_classes and self.loss.ignore_class is None:
            labels = arguments.class_labels(self.name, labels, self._outputs_of_a_sample())
        values, rest = self._graphs.run(self, function, x, labels, sample_weight, trains=trains)
        self._mean_loss.add(values[0], labels.shape[0])
        for metric, value in zip(self._metrics, values[1:], strict=True):
            metric.take(value, labels, sample_weight)
        return rest

    def _values_and_gradients(
        self, x: Array, labels: Array, sample_weight: Array | None
    ) -> Results:
        penalties, trained = Penalties(), self.trainable_weights
        scores, backward = plan.forward(penalties.of(self._scored_plan()), [x])
        values, dscores = self._loss_and_metrics(scores[0], labels, sample_weight)
        penalties.add_to(values[0], trained)
        backward([dscores])
        penalties.add_gradients(trained)
        gradients = [parameter.gradient for parameter in trained]
        for parameter in self.weights:
            parameter.gradient = None
        return values, gradients

    def _values(self, x: Array, labels: Array, sample_weight: Array | None) -> Results:
        penalties = Penalties()
        scores = plan.call(penalties.of(self._scored_plan()), [x])[0]
        values = self._loss_and_metrics(scores, labels, sample_weight)[0]
        penalties.add_to(values[0], self.trainable_weights)
        return values, []

    def _loss_and_metrics(
        self, scores: Array, labels: Array, sample_weight: Array | None
    ) -> tuple[Arrays, Array]:
        """The batch's loss and its metrics, and the gradient of the loss with respect to the scores."""
        assert self.loss is not None
        cost = self.loss.on_scores if self._gives_scores else self.loss.on_outputs
        loss, dscores = cost(labels, scores, sample_weight)
        outputs, count = scores, self._outputs_of_a_sample()
        if self._gives_scores and not all(metric.takes_scores(count) for metric in self._metrics):
            assert self._last_layer is not None
            outputs = self._last_layer.last_activation.call(scores)
        given = [
            metric.of_batch(labels, outputs)
            if metric.has_kernels and not metric.weighted
            else outputs  # NumPy computes
            for metric in self._metrics
        ]
        return [loss, *given], dscores

    @property
    def _gives_scores(self) -> bool:
        """Whether the loss takes what comes before the last activation."""
        assert self.loss is not None
        return ends_in(self._last_layer, self.loss.activations)

    def _scored_plan(self) -> plan.Plan:
        """What the passes of training and testing run: up to the scores, where the loss takes them."""
        assert self.loss is not None
        return plan.scored(self._plan(), self.loss.activations)

    def _outputs_of_a_sample(self) -> int:
        """How many numbers stand along the last axis of the outputs: classes, mostly."""
        assert self.output_shape is not None
        assert self.output_shape[-1] is not None
        return self.output_shape[-1]

    def _parts(self) -> list[Any]:
        return [*super()._parts(), self.loss, *self.metrics]

    def __getstate__(self) -> dict[str, Any]:
        return copying.state_of(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        copying.restore(self, state)

    def reset_metrics(self) -> None:
        for mean in (self._mean_loss, *self.metrics):
            mean.reset_state()

    def read_metrics(self) -> Logs:
        """The means since reset_metrics(), by name in alphabetical order; waits for a device."""
        means = sorted((self._mean_loss, *self.metrics), key=lambda mean: mean.name)
        return {mean.name: mean.result() for mean in means}


def _metrics(name: str, given: Any) -> list[Metric]:
    """The metrics of a list of names or objects."""
    if given is not None and not isinstance(given, list | tuple):
        raise TypeError(
            f'compile: {name} must be a list such as ["accuracy"]. Received: {nearest.shown(given)}'
        )
    return [get_metric(identifier) for identifier in given or []]


def chosen_backend(op: str, name: Any) -> Any:
    """The backend of that name; ValueError for what is no name."""
    if not isinstance(name, str):
        raise ValueError(f"{op}: backend must be a name. Received: {nearest.shown(name)}")
    return backends.get(name)
