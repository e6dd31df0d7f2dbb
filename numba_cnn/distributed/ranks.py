"""The processes that train one model together, and what they tell one another.

Every wait looks for messages of ranks that failed or ended, and gives up when nothing has come for a long time: nobody
waits for ever. What is not an array goes as JSON.
"""

from __future__ import annotations

import atexit
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from numba_cnn.distributed.failures import RankError
from numba_cnn.distributed.launcher import mpi
from numba_cnn.distributed.mover import Mover

TIMEOUT = 600.0  # seconds that a rank waits for the others
_SPIN = 2e-3  # seconds that a wait looks again and again, before it sleeps in between
_SLEEP = 1e-4
_LOOK = 64  # looks at a request for each look for messages
_FAILED, _ENDED = 1, 2  # tags of messages
_LEVELS = 3
_LAST_WORDS = 0.5  # seconds that rank 0 has for what it says of a failure
_GRACE = (
    2.0  # seconds in which ranks that end together end, and what one sent before it ended comes
)


class Share(NamedTuple):
    """Which samples of a whole batch a rank has: `size` of `total`, from `first` on."""

    first: int
    size: int
    total: int

    @property
    def weight(self) -> float:
        """How much the mean over its samples counts in that over the batch."""
        return self.size / self.total


class Ranks:
    """This process among those of an MPI communicator, whose group and order it has; it takes a copy of it.

    communicator    mpi4py's, COMM_WORLD unless it is given
    timeout         seconds that a wait for other ranks may take before the job is ended
    """

    def __init__(self, communicator: Any = None, timeout: float = TIMEOUT) -> None:
        self._mpi = mpi(timeout)
        world = self._mpi.COMM_WORLD if communicator is None else communicator
        self._told = world.Dup()  # for messages of failures alone
        # One for each depth of calls, such as evaluate() in a callback of fit(): what one rank alone calls is then
        # taken for nothing else, and waits until its time is over.
        self._levels = [world.Dup() for _ in range(_LEVELS)]
        self._depth = 0
        self.timeout, self.failed = timeout, False
        self._ended: tuple[float, str] | None = (
            None  # when a rank was heard to end, and its message
        )
        self._sent: list[np.ndarray] = []  # messages, which must stay
        self.rank, self.size = int(world.rank), int(world.size)
        self.host = platform.node()
        several = self._mpi.Query_thread() == self._mpi.THREAD_MULTIPLE
        self.mover = Mover(self._told.Iprobe if several else None)
        self.weight = 0.0  # of this rank's share of the batch that is trained on
        self.timeline: list[tuple[str, float]] | None = None  # a list where notes are taken
        if self.size > 1:
            atexit.register(self._end)
            self._excepthook, sys.excepthook = sys.excepthook, self._show

    @property
    def _comm(self) -> Any:
        return self._levels[self._depth]

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that prints and saves."""
        return self.rank == 0

    def bounds(self, total: int, rank: int | None = None) -> tuple[int, int]:
        """Which samples first..stop of a batch of so many a rank has: as many as others, or one more."""
        rank = self.rank if rank is None else rank
        return total * rank // self.size, total * (rank + 1) // self.size

    def share(self, total: int) -> Share:
        """This rank's share of a batch."""
        first, stop = self.bounds(total)
        return Share(first, stop - first, total)

    def made(self, total: int) -> tuple[int, int]:
        """Which samples of a batch this rank makes: its share, or the first one, which then counts nothing."""
        first, stop = self.bounds(total)
        return (first, stop) if stop > first else (0, 1)

    def broadcast(self, array: np.ndarray) -> np.ndarray:
        """The array of rank 0, in place of one of the same shape and dtype."""
        self._wait(self._comm.Ibcast(array))
        return array

    def sum(self, array: np.ndarray) -> np.ndarray:
        """The sum over all ranks, in place; the same bits on every rank, and in every run on as many ranks."""
        self._wait(self.start_sum(array))
        return array

    def start_sum(self, array: np.ndarray) -> Any:
        """Begin to sum in place; finish() waits for it, and nobody may touch the array before."""
        return self._comm.Iallreduce(self._mpi.IN_PLACE, array)

    def note(self, what: str) -> None:
        """Take down when something happens, where there is a timeline."""
        if self.timeline is not None:
            self.timeline.append((what, time.perf_counter()))

    def finish(self, request: Any) -> None:
        """Wait for what start_sum() began."""
        self._wait(request)

    def gather(self, array: np.ndarray) -> np.ndarray:
        """The rows of all ranks' arrays, in the order of ranks, on every rank."""
        array = np.ascontiguousarray(array)
        counts = np.empty(self.size, np.int64)
        self._wait(self._comm.Iallgather(np.array([len(array)], np.int64), counts))
        rows = np.empty((int(counts.sum()), *array.shape[1:]), array.dtype)
        row = array.dtype.itemsize * int(np.prod(array.shape[1:]))
        sizes = counts * row
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        into = [_bytes(rows), sizes.tolist(), starts.tolist(), self._mpi.BYTE]
        self._wait(self._comm.Iallgatherv([_bytes(array), self._mpi.BYTE], into))
        return rows

    def scatter(self, arrays: Sequence[np.ndarray] | None, like: np.ndarray) -> np.ndarray:
        """Rank 0's array for this rank, in place of one of its shape and dtype."""
        requests = []
        if arrays is not None:
            for rank, array in enumerate(arrays[1:], 1):
                requests.append(self._comm.Isend([_bytes(array), self._mpi.BYTE], rank))
            like[...] = arrays[0]
        else:
            requests.append(self._comm.Irecv([_bytes(like), self._mpi.BYTE], 0))
        for request in requests:
            self._wait(request)
        return like

    def said(self, value: Any) -> list[Any]:
        """What each rank says, of values that JSON knows."""
        text = np.frombuffer(json.dumps(value).encode(), np.uint8)
        sizes = self.gather(np.array([len(text)]))
        texts = self.gather(text).tobytes()
        ends = np.cumsum(sizes).tolist()
        return [json.loads(texts[end - size : end]) for size, end in zip(sizes, ends, strict=True)]

    def first_says(self, value: Any = None) -> Any:
        """What rank 0 says, on every rank."""
        text = np.frombuffer(json.dumps(value).encode(), np.uint8)
        size = self.broadcast(np.array([len(text)]))
        return json.loads(self.broadcast(np.resize(text, size[0])).tobytes())

    def agree(self, op: str, said: dict[str, Any]) -> None:
        """RankError, on every rank, where ranks say different things under the same name."""
        everyone = self.said(said)
        for name in everyone[0]:
            for rank, other in enumerate(everyone):
                if other.get(name) != everyone[0][name]:
                    raise RankError(
                        f"{op}: all ranks must have the same {name}. "
                        f"Received: {everyone[0][name]} on rank 0, {other.get(name)} on rank {rank}"
                    )

    @contextmanager
    def together(self, op: str) -> Generator[None, None, None]:
        """What is done by all ranks: an error of one becomes a RankError of the others."""
        if self.failed:
            raise RankError(f"{op}: a rank failed before; start all of them again")
        self._depth = min(self._depth + 1, _LEVELS - 1)
        try:
            yield
        except RankError:
            self.failed = True
            raise
        except BaseException as error:
            self.failed = True
            text = f"{op}: rank {self.rank} of {self.size} on {self.host}: {_line(error)}"
            self._tell(_FAILED, text)
            if not isinstance(error, Exception):  # it ends the process without a word
                _print(text)
            raise
        finally:
            self._depth -= 1

    def _wait(self, request: Any) -> None:
        """Until the request is done; RankError where another rank fails, or nothing comes."""
        begun, looks = time.monotonic(), 0
        while not request.Test():
            looks += 1
            _let_others_run()  # who has no processor of its own
            if looks % _LOOK:
                continue
            self._look()
            waited = time.monotonic() - begun
            if waited > self.timeout:
                raise RankError(
                    f"rank {self.rank} of {self.size} has waited {waited:.0f} s for the others, each of which must "
                    "call fit, evaluate and predict as it does. Received: nothing"
                )
            if waited > _SPIN:
                time.sleep(_SLEEP)

    def _look(self) -> None:
        """RankError where a rank says that it failed, or has ended, while this one waits for it."""
        status = self._mpi.Status()
        if self._told.Iprobe(status=status):
            data = np.empty(status.Get_count(self._mpi.BYTE), np.uint8)
            self._told.Recv([data, self._mpi.BYTE], status.source, status.tag)
            text = data.tobytes().decode(errors="replace")
            if status.tag == _FAILED:
                raise RankError(text)
            self._ended = self._ended or (time.monotonic(), text)
        if self._ended is not None and time.monotonic() - self._ended[0] > _GRACE:
            raise RankError(self._ended[1])

    def _tell(self, tag: int, text: str) -> None:
        """Send all others a message, which they look for while they wait."""
        data = np.frombuffer(text.encode()[:2000], np.uint8)
        for rank in range(self.size):
            if rank != self.rank:
                self._sent.append(data)
                self._told.Isend([data, self._mpi.BYTE], rank, tag)

    def _show(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        """What nobody caught: an error of this rank's as ever, one of another's in a line of rank 0's."""
        if not isinstance(error, RankError):
            self._excepthook(kind, error, trace)
        elif self.is_first:
            _print(str(error))

    def _end(self) -> None:
        """When the process ends: others that wait for it learn so, and where ranks failed, the job ends."""
        self.mover.stop()
        if self.failed:
            if not self.is_first:
                time.sleep(_LAST_WORDS)
            sys.stdout.flush()
            sys.stderr.flush()
            self._comm.Abort(1)
        request, begun, told = self._told.Ibarrier(), time.monotonic(), False
        while not request.Test():
            time.sleep(_SLEEP)
            if not told and time.monotonic() - begun > _GRACE:
                told = True
                self._tell(
                    _ENDED,
                    f"rank {self.rank} of {self.size} on {self.host} has ended, which others wait for: each must call "
                    "fit, evaluate and predict as often as the others",
                )


_let_others_run = getattr(os, "sched_yield", lambda: time.sleep(0))


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1).view(np.uint8)


def _print(text: str) -> None:
    """Write a line in one piece, which those of other ranks do not cut."""
    sys.stderr.write(f"numba_cnn: {text}\n")
    sys.stderr.flush()


def _line(error: BaseException) -> str:
    return " ".join(traceback.format_exception_only(error)[0].split())


def threads(ranks: Ranks, most: int) -> int:
    """How many of a host's processors each of its ranks may use: those that a launcher bound it to, or its part."""
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    said = ranks.said([ranks.host, mine])
    rivals = [rank for rank, other in enumerate(said) if other == [ranks.host, mine]]
    cores = len(mine) or os.cpu_count() or 1
    part = cores // len(rivals) + (rivals.index(ranks.rank) < cores % len(rivals))
    return max(min(part, most), 1)
