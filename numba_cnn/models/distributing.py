"""Models that several processes train together: each has its share of every batch; see numba_cnn.distributed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any

import numpy as np

from numba_cnn import backends, settings
from numba_cnn.callbacks.callback import CallbackList
from numba_cnn.distributed import RankError, Ranks, Share
from numba_cnn.distributed.ranks import threads
from numba_cnn.distributed.versions import versions
from numba_cnn.models.graphs import Arrays
from numba_cnn.models.learner import Learner, Outcome
from numba_cnn.models.sources import Source
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter

_LINE = (
    16  # elements that gradients in one piece of memory are set apart by: a cache line of float32
)
_seconds = settings.number(above=0)


class Distributed(Learner):
    """A model that may be one of several that are alike, on as many processes."""

    _ranks: Ranks | None = None

    def distribute(self, communicator: Any = None, timeout: float = 600.0) -> Ranks:
        """Train, evaluate and predict together with the other processes that mpiexec started, which call this too.

        Each process, a rank, takes its share of every batch, and their gradients are summed, so that batch_size, the
        history and what is returned are those of one process. All of them run the same script: each calls fit(),
        evaluate() and predict() with the same arguments. Weights begin as those of rank 0, which alone prints, and
        saves. The processors of a host are divided among its ranks; set_num_threads() may say otherwise afterwards.

        communicator    mpi4py's, of the processes that train together; all of them unless it is given
        timeout         seconds that a rank waits for others before it gives up

        Returns the Ranks, with rank, size and is_first. Raises ImportError without the extra "mpi", RuntimeError where
        processes that were started together do not find one another.
        """
        ranks = Ranks(communicator, _seconds("distribute", "timeout", timeout))
        self._ranks = ranks
        if ranks.size > 1:
            cpu = backends.get("cpu")
            cpu.set_num_threads(threads(ranks, cpu.get_num_threads()))
        return ranks

    @property
    def _is_first(self) -> bool:
        """Whether this process prints and saves."""
        return self._ranks is None or self._ranks.is_first

    @contextmanager
    def _together(
        self, op: str, batches: Source, tests: Source | None = None, **said: Any
    ) -> Generator[None, None, None]:
        """What all ranks do alike, from equal weights on; what they print, rank 0 prints."""
        ranks = self._ranks
        if ranks is None:
            yield
            return
        with ranks.together(op), nullcontext() if ranks.is_first else _silence():
            ranks.agree("distribute", {"call": op})
            shapes = [[parameter.path, *parameter.shape] for parameter in self.weights]
            tested = {} if tests is None else tests.told()
            validation = {f"{name} of validation": value for name, value in tested.items()}
            said = {
                **versions(),
                "shapes of weights": shapes,
                **batches.told(),
                **validation,
                **said,
            }
            ranks.agree(op, said)
            batches.seed = ranks.first_says(batches.seed)
            self._equalize(ranks)
            yield

    def _equalize(self, ranks: Ranks) -> None:
        """Have weights, generators, and the optimizer's state be those of rank 0."""
        self._draw_from(0)
        if len(set(ranks.said(self._digest()))) == 1:
            return
        for parameter in [*self.weights, *self.states]:
            host = ranks.broadcast(np.ascontiguousarray(parameter.numpy()))
            if not ranks.is_first:
                parameter.value = host
        optimizer = self.optimizer
        if optimizer is not None and optimizer.built:
            for slots in optimizer.state:
                for i, array in enumerate(slots):
                    host = ranks.broadcast(np.array(self.backend.to_numpy(array)))
                    slots[i] = self.backend.asarray(host)
            names = ["_steps", *(f"_{name}" for name in optimizer.scalars)]
            vars(optimizer).update(
                ranks.first_says({name: vars(optimizer)[name] for name in names})
            )

    def _digest(self) -> str:
        """What tells whether two ranks have the same weights and state."""
        digest = hashlib.blake2b(digest_size=16)
        for parameter in [*self.weights, *self.states]:
            digest.update(parameter.numpy().data)
        optimizer = self.optimizer
        if optimizer is not None and optimizer.built:
            for array in (array for slots in optimizer.state for array in slots):
                digest.update(np.asarray(self.backend.to_numpy(array)).data)
            rate = None if optimizer.has_schedule else optimizer.learning_rate
            digest.update(repr((optimizer._steps, rate)).encode())
        return digest.hexdigest()

    def _any_stops(self, hooks: CallbackList) -> bool:
        """Whether a callback of some rank has set stop_training; only where callbacks look at batches."""
        if self._ranks is None or not hooks.act_everywhere("on_train_batch_end"):
            return self.stop_training
        return bool(self._ranks.sum(np.array([self.stop_training], np.int64))[0])

    def _check_equal(self, op: str, epoch: int) -> None:
        """RankError, on every rank, where their weights, learning rates or stop_training differ after an epoch."""
        if self._ranks is None:
            return
        self._draw_from(0)  # the one thing in which ranks differ
        said = self._ranks.said([self._digest(), self.stop_training])
        differing = [rank for rank, other in enumerate(said) if other != said[0]]
        if differing:
            raise RankError(
                f"{op}: after epoch {epoch + 1} weights, optimizer or stop_training of rank {differing[0]} differ from "
                "those of rank 0: callbacks must do the same on every rank, on processors of one kind"
            )

    def _gradients(self, share: Share | None, *arrays: Array | None) -> Arrays:
        ranks = self._ranks
        if ranks is None:
            return super()._gradients(share, *arrays)
        share = self._share_of(ranks, share, arrays)
        self._draw_from(share.first)
        outcome = self._computed(self._values_and_gradients, *arrays, trains=True)
        gradients = self._summed(ranks, outcome.rest, share)
        self._count_all(ranks, [outcome], share)
        return gradients

    def _test_batch(self, share: Share | None, *arrays: Array | None) -> None:
        ranks = self._ranks
        if ranks is None:
            super()._test_batch(share, *arrays)
            return
        parts = self._in_parts(*arrays)
        outcomes = [self._computed(self._values, *part) for part in parts]
        self._count_all(ranks, outcomes, self._share_of(ranks, share, arrays))

    @staticmethod
    def _share_of(ranks: Ranks, share: Share | None, arrays: Sequence[Any]) -> Share:
        """The share; where nobody says, ranks have the samples that they are given, one rank's behind the other's."""
        if share is not None:
            return share
        counts = ranks.gather(np.array([len(arrays[0])]))
        return Share(int(counts[: ranks.rank].sum()), len(arrays[0]), int(counts.sum()))

    def _draw_from(self, first: int) -> None:
        """Have layers of chance draw what samples from that place on get in the whole batch."""
        for leaf in self._leaves():
            if leaf.generator is None:
                continue
            value = leaf.generator.value
            if isinstance(value, np.ndarray):  # which recordings read
                value[2] = first
                continue
            host = leaf.generator.numpy()
            if host[2] != first:
                host[2] = first
                leaf.generator.value = host

    def _whole_output(self, output: np.ndarray, share: Share | None) -> np.ndarray:
        """The outputs for a whole batch, of this rank's."""
        if self._ranks is None or share is None:
            return output
        return self._ranks.gather(output[: share.size])

    def _statistics(self) -> list[Parameter]:
        """The weights that the passes of training change: moving statistics."""
        leaves = [leaf for leaf in self._leaves() if leaf.trainable and leaf.acts_in_training]
        return [p for leaf in leaves for p in leaf.weights if not p.trainable]

    def _summed(self, ranks: Ranks, gradients: Arrays, share: Share) -> Arrays:
        """The whole batch's gradients; moving statistics become their means over the samples."""
        backend, statistics = self.backend, self._statistics()
        arrays = [*gradients, *(p.value for p in statistics)]
        if not arrays:
            return []
        sizes = [-(-array.size // _LINE) * _LINE for array in arrays]
        flat = np.zeros(sum(sizes), arrays[0].dtype)
        starts = np.cumsum([0, *sizes[:-1]]).tolist()
        views = [flat[s : s + a.size] for s, a in zip(starts, arrays, strict=True)]
        if share.size:
            for view, array in zip(views, arrays, strict=True):
                np.multiply(backend.to_numpy(array).reshape(-1), share.weight, out=view)
        ranks.sum(flat)
        summed = [
            view.reshape(tuple(array.shape)) for view, array in zip(views, arrays, strict=True)
        ]
        for parameter, mean in zip(statistics, summed[len(gradients) :], strict=True):
            if isinstance(parameter.value, np.ndarray):
                np.copyto(parameter.value, mean)
            else:
                parameter.value = mean
        return [backend.asarray(gradient) for gradient in summed[: len(gradients)]]

    def _count_all(self, ranks: Ranks, outcomes: Sequence[Outcome], share: Share) -> None:
        """Count the losses and the metrics of a whole batch, of which each rank has outcomes of its part.

        What NumPy computes, each rank computes of all outputs.
        """
        values = [outcome.values for outcome in outcomes]
        means = np.zeros(len(values[0]))
        hosts = self._on_host()
        for k in range(len(means)):
            if k not in hosts and share.size:
                means[k] = sum(
                    float(self.backend.to_numpy(one.values[k])) * one.N for one in outcomes
                )
        ranks.sum(means)
        whole: list[Any] = [np.asarray(mean / share.total) for mean in means]
        for k in hosts:
            whole[k] = self._of_all(ranks, [one[k] for one in values], share)
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

    def _on_host(self) -> list[int]:
        """Which of an outcome's values are outputs, of which NumPy computes metrics."""
        found, place = [], 0
        for objective in self._objectives:
            for metric in objective.metrics:
                place += 1
                if not metric.has_kernels or metric.weighted:
                    found.append(place)
            place += 1
        return found

    def _of_all(self, ranks: Ranks, parts: Sequence[Any], share: Share) -> np.ndarray:
        """The rows of the whole batch, from those that each rank has."""
        mine = np.concatenate([np.asarray(self.backend.to_numpy(part)) for part in parts])
        return ranks.gather(mine[: share.size])


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Nothing that is printed inside is seen."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
