"""One step of a model that several ranks train: each on its share of a batch, with the sums of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from numba_cnn import ops, session
from numba_cnn.distributed import Ranks, Share
from numba_cnn.distributed.buckets import Buckets
from numba_cnn.layers import Layer
from numba_cnn.models import plan
from numba_cnn.models.graphs import Arrays, Results
from numba_cnn.models.learner import Learner, Outcome
from numba_cnn.models.penalties import Penalties
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class Sums:
    """What a step sums: the losses and metrics that kernels give, the gradients in the order in which a backward pass
    gives them, and the statistics that passes move."""

    def __init__(self, ranks: Ranks, model: Shared) -> None:
        self.trained, self.statistics = model.trainable_weights, model._statistics()
        self.drawing, self.change = model._drawing(), session.last_change
        self._numbers = model._count_of_values() - len(model._on_host()) + 1  # penalties come last
        steps = model._scored_plan(training=True)[0].steps
        first: dict[
            int, int
        ] = {}  # the first step that has a weight, behind whose pass the gradient is whole
        for i, step in enumerate(steps):
            for parameter in step.layer.trainable_weights:
                first.setdefault(id(parameter), i)
        self._step_of = {step.output: i for i, step in enumerate(steps)}
        self.ordered = sorted(self.trained, key=lambda one: -first.get(id(one), -1))
        self._firsts = [first.get(id(parameter), -1) for parameter in self.ordered]
        dtype = self.trained[0].dtype if self.trained else np.dtype(np.float32)
        shapes = [p.shape for p in (*self.ordered, *self.statistics)]
        self.buckets = Buckets(ranks, [*[()] * self._numbers, *shapes], dtype, model.backend)

    def put_numbers(self, numbers: Sequence[Array]) -> None:
        """Enter losses and metrics; where there are no penalties, some number takes their place."""
        missing = self._numbers - len(numbers)
        for i, number in enumerate([*numbers, *numbers[:missing]]):
            self.buckets.put(i, number)

    def put_gradients(self, since: int, step: plan.Step | None, penalties: Penalties) -> int:
        """Enter the gradients that are whole behind a step's pass, from the one at `since` on; all, behind the last."""
        at = -1 if step is None else self._step_of[step.output]
        while since < len(self.ordered) and self._firsts[since] >= at:
            parameter = self.ordered[since]
            if parameter.gradient is None:  # nothing was asked of it: zeros
                parameter.gradient = ops.subtract(parameter.value, parameter.value)
            penalties.add_gradients([parameter])
            self.buckets.put(self._numbers + since, parameter.gradient)
            parameter.gradient, since = None, since + 1
        return since

    def put_statistics(self) -> None:
        for i, parameter in enumerate(self.statistics, self._numbers + len(self.ordered)):
            self.buckets.put(i, parameter.value)

    def finish(self) -> tuple[list[np.ndarray], dict[int, np.ndarray], list[np.ndarray]]:
        """Numbers, gradients by their weight's id, and statistics, of the whole batch."""
        sums, count = self.buckets.finish(), self._numbers + len(self.ordered)
        gradients = zip(self.ordered, sums[self._numbers : count], strict=True)
        return sums[: self._numbers], {id(p): g for p, g in gradients}, sums[count:]


class Shared(Learner):
    """A model that learns from its share of a batch, if several ranks have one each."""

    _ranks: Ranks | None = None
    _sums: Sums | None = None
    _summed_for: Sequence[int] = ()

    def _gradients(self, share: Share | None, *arrays: Array | None) -> Arrays:
        ranks = self._ranks
        if ranks is None:
            return super()._gradients(share, *arrays)
        share = self._share_of(ranks, share, arrays)
        sums = self._current_sums(ranks)
        self._draw_from(share.first, sums.drawing)
        sums.buckets.begin(share)
        outcome = self._computed(self._values_and_sums, *arrays, trains=True)
        numbers, gradients, statistics = sums.finish()
        for parameter, mean in zip(sums.statistics, statistics, strict=True):
            if isinstance(parameter.value, np.ndarray):
                np.copyto(parameter.value, mean)
            else:
                parameter.value = mean
        self._count_all(ranks, [outcome], share, [float(number) for number in numbers])
        return [self.backend.asarray(gradients[id(parameter)]) for parameter in sums.trained]

    def _current_sums(self, ranks: Ranks) -> Sums:
        """What is summed for the weights that are trained now, and what compile() asked for."""
        sums = self._sums
        if sums is None or sums.change is not session.last_change:
            found = [ranks, self._backend, *self._objectives, *self.trainable_weights]
            known = [*map(id, [*found, *self._statistics()])]
            if sums is None or known != self._summed_for:
                self._summed_for = known
                self._sums = sums = Sums(ranks, self)
            sums.change = session.last_change
        return sums

    def _parts(self) -> list[Any]:
        return [*super()._parts(), *([] if self._sums is None else [self._sums])]

    def _values_and_sums(self, *arrays: Any) -> Results:
        """The losses and metrics of a share; all that is summed is on its way."""
        xs, *targets = self._split(arrays)
        penalties, sums = Penalties(), self._sums
        assert sums is not None
        steps, cut = self._scored_plan(training=True)
        scores, backward = plan.forward(penalties.of(steps), xs)
        values, dscores = self._losses_and_metrics(scores, cut, *targets)
        hosts = self._on_host()
        values += penalties.total(values[0], sums.trained)
        sums.put_numbers([value for k, value in enumerate(values) if k not in hosts])
        put = 0

        def done(step: plan.Step) -> None:
            nonlocal put
            put = sums.put_gradients(put, step, penalties)

        backward(dscores, done)
        sums.put_gradients(put, None, penalties)
        sums.put_statistics()
        for parameter in self.weights:
            parameter.gradient = None
        return values, []

    def _test_batch(self, share: Share | None, *arrays: Array | None) -> None:
        ranks = self._ranks
        if ranks is None:
            super()._test_batch(share, *arrays)
            return
        share, numbers = self._share_of(ranks, share, arrays), []
        outcomes = [self._computed(self._values, *part) for part in self._in_parts(*arrays)]
        for k in range(len(outcomes[0].values)):
            if k not in self._on_host():
                parts = [(self.backend.to_numpy(one.values[k]), one.N) for one in outcomes]
                numbers.append(sum(float(value) * N for value, N in parts) / share.total)
        means = ranks.sum(np.array(numbers) if share.size else np.zeros(len(numbers)))
        self._count_all(ranks, outcomes, share, means.tolist())

    @staticmethod
    def _share_of(ranks: Ranks, share: Share | None, arrays: Sequence[Any]) -> Share:
        """The share; where nobody says, ranks have the samples that they are given, one rank's behind the other's."""
        if share is not None:
            return share
        counts = ranks.gather(np.array([len(arrays[0])]))
        return Share(int(counts[: ranks.rank].sum()), len(arrays[0]), int(counts.sum()))

    def _drawing(self) -> list[Layer]:
        """The layers of chance."""
        return [leaf for leaf in self._leaves() if leaf.generator is not None]

    @staticmethod
    def _draw_from(first: int, layers: Sequence[Layer]) -> None:
        """Have layers of chance draw what samples from that place on get in the whole batch."""
        for leaf in layers:
            assert leaf.generator is not None
            value = leaf.generator.value
            if isinstance(value, np.ndarray):  # which recordings read
                value[2] = first
                continue
            host = leaf.generator.numpy()
            if host[2] != first:
                host[2] = first
                leaf.generator.value = host

    def _statistics(self) -> list[Parameter]:
        """The weights that the passes of training move: of a whole batch they are the means over its samples."""
        leaves = [leaf for leaf in self._leaves() if leaf.trainable and leaf.acts_in_training]
        own = [leaf for leaf in leaves if not getattr(leaf, "synchronized", False)]
        return [p for leaf in own for p in leaf.weights if not p.trainable]

    def _count_of_values(self) -> int:
        """How many losses and metrics a batch gives."""
        return sum(1 + len(objective.metrics) for objective in self._objectives)

    def _on_host(self) -> list[int]:
        """Which of them are outputs, of which NumPy computes metrics."""
        found, place = [], 0
        for objective in self._objectives:
            for metric in objective.metrics:
                place += 1
                if not metric.has_kernels or metric.weighted:
                    found.append(place)
            place += 1
        return found

    def _count_all(
        self, ranks: Ranks, outcomes: Sequence[Outcome], share: Share, means: Sequence[float]
    ) -> None:
        """Count losses and metrics of a whole batch: the means of those that kernels give, and, of outputs that each
        rank has a part of, what each rank's NumPy computes of all."""
        hosts, rest = self._on_host(), iter(means)
        whole: list[Any] = [
            self._of_all(ranks, [one.values[k] for one in outcomes], share)
            if k in hosts
            else np.asarray(next(rest))
            for k in range(len(outcomes[0].values))
        ]
        labels, weights = [], []
        for i, objective in enumerate(self._objectives):
            asks = any(not metric.has_kernels or metric.weighted for metric in objective.metrics)
            given = [one.labels[i] for one in outcomes], [one.weights[i] for one in outcomes]
            labels.append(
                self._of_all(ranks, given[0], share) if asks else np.empty((share.total, 0))
            )
            weighs = asks and given[1][0] is not None
            weights.append(self._of_all(ranks, given[1], share) if weighs else None)
        self._count(Outcome(whole, [], labels, weights, share.total))

    def _of_all(self, ranks: Ranks, parts: Sequence[Any], share: Share) -> np.ndarray:
        """The rows of the whole batch, from those that each rank has."""
        mine = np.concatenate([np.asarray(self.backend.to_numpy(part)) for part in parts])
        return ranks.gather(mine[: share.size])

    def _whole_output(self, output: np.ndarray, share: Share | None) -> np.ndarray:
        """The outputs for a whole batch, of this rank's."""
        if self._ranks is None or share is None:
            return output
        return self._ranks.gather(output[: share.size])
