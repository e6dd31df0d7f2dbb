"""What a call() of the user's own is made of: the layers that it calls on the tensors it is given.

It is run once for training and once for inference, so that it may ask `if training`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from numba_cnn import nearest
from numba_cnn.layers.tensor import Node, Tensor

_running: ContextVar[_Run | None] = ContextVar("running", default=None)


class _Run:
    """A trace that is being made."""

    def __init__(self, training: bool) -> None:
        self.whole = training
        self.training = training  # of what is being called now
        self.forced: bool | None = None  # training=, of a layer around it
        self.nodes: list[Node] = []


class Trace(NamedTuple):
    """Calls of layers, each behind those that it needs, from starts to ends, which a dict may have by keys."""

    starts: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    ends: tuple[Tensor, ...]
    keys: list[str] | None

    def add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        """Have the layers run on those slots of a plan; the slots that they fill."""
        return tuple(self._through(slots, lambda node, read: node.add_steps(steps, tuple(read))))

    def shapes_for(self, shapes: Sequence[Any]) -> list[Any]:
        """The shapes of the ends for starts of other shapes."""
        return self._through(shapes, lambda node, read: node.shapes_for(read))

    def _through(
        self, starts: Sequence[Any], step: Callable[[Node, list[Any]], Sequence[Any]]
    ) -> list[Any]:
        """Something for each end, of something for each start, and what each call makes of that."""
        found = {id(tensor): one for tensor, one in zip(self.starts, starts, strict=True)}
        for node in self.nodes:
            made = step(node, [found[id(tensor)] for tensor in node.inputs])
            found |= {id(tensor): one for tensor, one in zip(node.outputs, made, strict=True)}
        return [found[id(tensor)] for tensor in self.ends]


def mode() -> bool | None:
    """Whether what is being traced now trains; None where nothing is."""
    run = _running.get()
    return None if run is None else run.training


@contextmanager
def called(training: bool | None) -> Iterator[None]:
    """What is traced inside is of a layer that was called with that training=; None changes nothing."""
    run = _running.get()
    if run is None or training is None:
        yield
        return
    before, run.training, run.forced = (run.training, run.forced), bool(training), bool(training)
    yield
    run.training, run.forced = before


@contextmanager
def paused() -> Iterator[None]:
    """What is called inside belongs to a model that is being built, and not to the trace."""
    token = _running.set(None)
    try:
        yield
    finally:
        _running.reset(token)


def note(node: Node) -> None:
    """Told of every call of a layer on tensors."""
    run = _running.get()
    if run is not None:
        training = run.forced if node.training is None else node.training
        node.training = None if training == run.whole else training  # as the pass decides
        run.nodes.append(node)


def both(owner: str, call: Callable[[bool], Any], starts: Sequence[Tensor]) -> dict[bool, Trace]:
    """The traces of call(training), by whether it is training; both give tensors of the same shapes.

    Raises TypeError or ValueError for a call() that does not do that, or makes its output of something else.
    """
    found = {training: _traced(owner, call, starts, training) for training in (True, False)}
    shapes = [[tensor.shape for tensor in trace.ends] for trace in found.values()]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{owner}: call() must give the same shapes in training and in inference. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )
    return found


def _traced(
    owner: str, call: Callable[[bool], Any], starts: Sequence[Tensor], training: bool
) -> Trace:
    run = _Run(training)
    token = _running.set(run)
    try:
        given = call(training)
    finally:
        _running.reset(token)
    keys = sorted(given) if isinstance(given, Mapping) else None
    listed = given if keys is None else [given[key] for key in keys]
    ends = tuple(listed) if isinstance(listed, list | tuple) else (listed,)
    for end in ends or (None,):
        if not isinstance(end, Tensor):
            raise TypeError(
                f"{owner}: call() must return what layers returned, or a list or a dict of that. "
                f"Received: {nearest.shown(given)}"
            )
    return Trace(tuple(starts), _needed(owner, run.nodes, starts, ends), ends, keys)


def _needed(
    owner: str, nodes: Sequence[Node], starts: Sequence[Tensor], ends: Sequence[Tensor]
) -> tuple[Node, ...]:
    """The calls that the ends are made by."""
    needed, found = {id(end): end for end in ends}, list[Node]()
    for node in reversed(nodes):
        if any(id(tensor) in needed for tensor in node.outputs):
            found.append(node)
            needed |= {id(tensor): tensor for tensor in node.inputs}
    known = {id(tensor) for node in found for tensor in node.outputs}
    known |= {id(tensor) for tensor in starts}
    for key, tensor in needed.items():
        if key not in known:
            raise ValueError(
                f"{owner}: call() must make its output of its inputs alone. "
                f"Received: {tensor!r}, which comes from elsewhere"
            )
    return tuple(reversed(found))


def takes_training(call: Callable[..., Any]) -> bool:
    """Whether a call() asks whether it trains."""
    parameters = inspect.signature(call).parameters
    return "training" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
