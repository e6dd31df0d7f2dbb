"""Models that several processes train together: each has its share of every batch; see numba_cnn.distributed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, settings
from numba_cnn.callbacks import CallbackList
from numba_cnn.distributed import RankError, Ranks
from numba_cnn.distributed.ranks import threads
from numba_cnn.distributed.versions import versions
from numba_cnn.models.shares import Shared
from numba_cnn.models.sources import Source

_LINE = (
    16  # elements that gradients in one piece of memory are set apart by: a cache line of float32
)
_seconds = settings.number(above=0, below=1e7)


class Distributed(Shared):
    """A model that may be one of several that are alike, on as many processes."""

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
        if communicator is not None and not hasattr(communicator, "Dup"):
            raise TypeError(
                "distribute: communicator must be one of mpi4py's, or None. "
                f"Received: {nearest.shown(communicator)}"
            )
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
        for objective in self._objectives if op != "predict" else ():
            if objective.loss.of_whole_batch:
                raise ValueError(
                    f"{op}: a distributed model takes losses that are means over samples, which those of shares add up "
                    f"to. Received: {objective.loss.name}"
                )
        with ranks.together(op), nullcontext() if ranks.is_first else _silence():
            ranks.agree("distribute", {"call": op})
            tested = {} if tests is None else tests.told()
            validation = {f"{name} of validation": value for name, value in tested.items()}
            ranks.agree(
                op, {**versions(), **self._compared(), **batches.told(), **validation, **said}
            )
            batches.seed = ranks.first_says(batches.seed)
            for leaf in self._leaves():
                if getattr(leaf, "synchronized", False) and vars(leaf).get("_ranks") is not ranks:
                    leaf._ranks = ranks
            self._equalize(ranks)
            yield

    def _compared(self) -> dict[str, Any]:
        """What ranks compare of the model."""
        settings = None if self.optimizer is None else str(self.optimizer.get_config())
        return {
            "layers": [type(leaf).__name__ for leaf in self._leaves()],
            "shapes of weights": [list(parameter.shape) for parameter in self.weights],
            "losses": [objective.loss.name for objective in self._objectives],
            "metrics": [metric.name for metric in self.metrics],
            "optimizer": settings,
        }

    def _equalize(self, ranks: Ranks) -> None:
        """Have weights, generators, and the optimizer's state be those of rank 0."""
        self._draw_from(0, self._drawing())
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
            rate = optimizer.learning_rate if optimizer.takes_rate else None
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
        self._draw_from(0, self._drawing())  # the one thing in which ranks differ
        said = self._ranks.said([self._digest(), self.stop_training])
        differing = [rank for rank, other in enumerate(said) if other != said[0]]
        if differing:
            raise RankError(
                f"{op}: after epoch {epoch + 1} weights, optimizer or stop_training of rank {differing[0]} differ from "
                "those of rank 0: callbacks must do the same on every rank, on processors of one kind"
            )


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Nothing that is printed inside is seen."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
