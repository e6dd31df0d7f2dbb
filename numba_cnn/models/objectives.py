"""What compile() asks of each output of a model: a loss, how much it counts, and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numba_cnn import backends, losses, nearest, ops, settings
from numba_cnn.losses import Loss
from numba_cnn.losses.nothing import NoLoss
from numba_cnn.metrics import Mean, Metric
from numba_cnn.metrics import get as get_metric
from numba_cnn.metrics.metric import Averaged
from numba_cnn.ops import Array


class Objective:
    """What is asked of one output, and the means that tell how far it is met."""

    def __init__(
        self, loss: Loss, weight: float, metrics: list[Metric], name: str | None, is_alone: bool
    ) -> None:
        self.loss, self.weight, self.metrics = loss, weight, metrics
        self.name = name  # of the output, where there are several
        self.has_loss = not isinstance(loss, NoLoss)
        # Whether its loss is logged, beside the sum of all.
        self.is_logged = self.has_loss and (name is None or not is_alone)
        self.mean = Mean(self._named("loss"))

    def _named(self, what: str) -> str:
        return what if self.name is None else f"{self.name}_{what}"

    @property
    def means(self) -> dict[str, Averaged]:
        """The loss and the metrics by the names that they are logged by."""
        found: dict[str, Averaged] = {self.mean.name: self.mean} if self.is_logged else {}
        for metric in self.metrics:
            name = self._named(metric.name)
            if name in found and metric.weighted:
                name = self._named(f"weighted_{metric.name}")
            found[name] = metric
        return found

    def of_batch(
        self, outputs: Array, cut: Any, labels: Array, sample_weight: Array | None
    ) -> tuple[list[Array], Array]:
        """A batch's loss and metrics, and the gradient of what the loss adds to the whole.

        cut    the layer whose last activation the outputs are before, or None
        """
        cost = self.loss.on_outputs if cut is None else self.loss.on_scores
        loss, doutputs = cost(labels, outputs, sample_weight)
        if self.weight != 1:
            scale = np.full((1,) * len(doutputs.shape), self.weight, doutputs.dtype)
            backend = backends.of("loss_weights", gradient=doutputs)
            doutputs = ops.multiply(doutputs, backend.asarray(scale))
        *_, width = outputs.shape  # a tuple of the simulator's has no last place, -1
        if cut is not None and not all(metric.takes_scores(width) for metric in self.metrics):
            outputs = cut.last_activation.call(outputs)
        values = [
            metric.of_batch(labels, outputs)
            if metric.has_kernels and not metric.weighted
            else outputs  # NumPy computes
            for metric in self.metrics
        ]
        return [loss, *values], doutputs

    def take(self, values: Sequence[Array], labels: Array, sample_weight: Array | None) -> None:
        """Count what of_batch() gave."""
        self.mean.add(values[0], labels.shape[0])
        for metric, value in zip(self.metrics, values[1:], strict=True):
            metric.take(value, labels, sample_weight)

    def reset(self) -> None:
        for mean in (self.mean, *self.metrics):
            mean.reset_state()


def objectives(
    names: Sequence[str], loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any
) -> list[Objective]:
    """What compile's arguments ask of each of the outputs of these names; a model that is not built has one output."""
    count = max(len(names), 1)
    found = _for_each("loss", loss, names, "a loss")
    weights = [1.0] * count
    if loss_weights is not None:
        weights = [
            _weight(one) for one in _for_each("loss_weights", loss_weights, names, "a number")
        ]
    counted = _metrics("metrics", metrics, names)
    weighted = _metrics("weighted_metrics", weighted_metrics, names)
    given = [one for one in found if one is not None]
    made = [NoLoss() if one is None and given else losses.get(one) for one in found]
    asked = []
    for i, name in enumerate(names if count > 1 else [None]):
        for metric in weighted[i]:
            metric.weighted = True
        one = Objective(made[i], weights[i], counted[i] + weighted[i], name, len(given) == 1)
        if one.loss.ignore_class is not None:  # a label that kernels refuse
            for metric in one.metrics:
                metric.has_kernels = False
        asked.append(one)
    return asked


def _for_each(what: str, given: Any, names: Sequence[str], one: str) -> list[Any]:
    """One for each output, from one for all, a list or a dict by their names."""
    count = max(len(names), 1)
    if isinstance(given, Mapping) and "class_name" not in given:
        if set(given) != set(names):
            raise ValueError(
                f"compile: {what} must have {one} for each of the outputs {', '.join(names)}. "
                f"Received: {', '.join(map(str, given)) or 'none'}"
            )
        return [given[name] for name in names]
    if isinstance(given, list | tuple):
        if len(given) != count:
            raise ValueError(
                f"compile: {what} must have {one} for each of {count} outputs. Received: {nearest.shown(given)}"
            )
        return list(given)
    return [given] * count


def _weight(given: Any) -> float:
    weight = settings.real(given)
    if weight is None:
        raise ValueError(
            f"compile: loss_weights must be finite numbers. Received: {nearest.shown(given)}"
        )
    return weight


def _metrics(what: str, given: Any, names: Sequence[str]) -> list[list[Metric]]:
    """The metrics of each output."""
    count = max(len(names), 1)
    given = nearest.listed(what, given, count)
    if given is not None and not isinstance(given, list | tuple | Mapping):
        raise TypeError(
            f'compile: {what} must be a list such as ["accuracy"]. Received: {nearest.shown(given)}'
        )
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError(
                f"compile: {what} names outputs, {', '.join(names)}. Received: {unknown[0]!r:.80}"
            )
        lists = [given.get(name) for name in names]
    elif count == 1:
        flat = [one if isinstance(one, list | tuple) else [one] for one in given or []]
        lists = [[metric for part in flat for metric in part]]
    else:
        lists = list(given or [None] * count)
    if len(lists) != count:
        raise ValueError(
            f"compile: {what} must be a list with one entry, or a list, for each of {count} outputs. "
            f"Received: {nearest.shown(given)}"
        )
    wanted = [one if isinstance(one, list | tuple) else [one] for one in lists]
    return [[get_metric(one) for one in part if one is not None] for part in wanted]
