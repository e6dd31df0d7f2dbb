"""A network's passes as graphs: recorded for each shape of a batch, where the backend records launches."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import TYPE_CHECKING, Any

from numba_cnn import constructors, session
from numba_cnn.layers import Layer
from numba_cnn.ops import Array, conv_algorithm

if TYPE_CHECKING:
    from numba_cnn.models.network import Network

Arrays = list[Array]
Results = tuple[Arrays, Arrays]  # what a caller may keep, and what the next call may overwrite

_NOTHING = None, None
_LIMIT = 16  # graphs of one network; each keeps its gradients


class Graphs:
    """The graphs of one network.

    A graph does what the network did when it was recorded, so it counts only as long as nothing has
    been set on the network or its parts since. Layers, losses and metrics of classes from elsewhere
    may do more than launch kernels: a network that has any runs as it is.
    """

    def __init__(self) -> None:
        self._graphs: dict[Any, tuple[list[Any], Any]] = {}
        self._state: tuple[object, list[Any]] = None, []
        self._latest: dict[str, tuple[object, Any]] = {}

    def again(self, function: Callable[..., Results], *inputs: Array | None) -> Results | None:
        """What run() gives, if it is by the graph that ran last for the function, and None else.

        Behind the kernels, every step of Python on the way to them shows: see benchmarks' PythonOfACall.
        """
        change, graph = self._latest.get(function.__name__, _NOTHING)
        if change is session.last_change:
            outputs = graph(*inputs)
            if outputs is not None:
                return outputs, graph.kept
        return None

    def run(
        self,
        network: Network,
        function: Callable[..., Results],
        *inputs: Array | None,
        trains: bool = False,
    ) -> Results:
        """function(*inputs), from a graph if there can be one; if it `trains`, every call of it finds other weights."""
        if results := self.again(function, *inputs):
            return results
        backend = network.backend
        if not backend.ABILITIES.records:
            return function(*inputs)
        if not all(array is None or backend.owns(array) for array in inputs):
            return function(*inputs)  # which says what is wrong
        arrays = [None if array is None else backend.asarray(array) for array in inputs]
        kinds = [None if array is None else (array.shape, array.dtype) for array in arrays]
        key = function.__name__, backend.get_num_threads(), *kinds
        change = session.last_change
        state = self._state_of(network, change)
        recorded, graph = self._graphs.get(key, ([], None))  # a state is never empty
        if not _same(recorded, state) or (graph is not None and graph.is_given_up):
            self._graphs.pop(key, None)
            self._latest.pop(function.__name__, None)
            graph = self._recorded(network, function, arrays, trains, state)
            while len(self._graphs) >= _LIMIT:
                self._graphs.pop(next(iter(self._graphs)), None)
            self._graphs[key] = state, graph
        if graph is None:
            return function(*inputs)
        self._latest[function.__name__] = change, graph
        outputs = graph.launch(arrays)
        if outputs is None:  # another thread's model had the recording give up its memory meanwhile
            return self.run(network, function, *inputs, trains=trains)
        return outputs, graph.kept

    def _state_of(self, network: Network, change: object) -> list[Any]:
        """Whatever decides what the network's passes launch, beside the batch: objects that are compared by identity.

        The list that was returned last, if it is still right.
        """
        seen, state = self._state
        if seen is change:
            return state
        parts = [network.backend, network.trainable, *network._parts(), conv_algorithm.default()]
        versions = [part.version for part in parts if isinstance(part, Layer)]
        now = [
            *parts,
            *versions,
            *(parameter.value for parameter in [*network.weights, *network.states]),
        ]
        if not _same(state, now):
            state = now
        self._state = change, state
        return state

    def _recorded(
        self,
        network: Network,
        function: Callable[..., Results],
        arrays: list[Array | None],
        trains: bool,
        state: list[Any],
    ) -> Any:
        """The graph of function(*arrays), or None if it does not do all that the function does."""
        if not is_ours(network):
            return None
        kept = self._kept(function, state)
        backend = network.backend
        graph = backend.LaunchGraph(function, arrays, kept, persists=not trains)
        mine = [graph, *(other for _, other in self._graphs.values() if other is not None)]
        backend.limit_recordings(mine)
        return graph if graph.is_complete else None

    def _kept(self, function: Callable[..., Results], state: list[Any]) -> Arrays:
        """What the graphs of that function keep, gradients, which one batch need not have twice."""
        for (name, *_), (recorded, graph) in self._graphs.items():
            if (
                name == function.__name__
                and graph is not None
                and not graph.is_given_up
                and _same(recorded, state)
            ):
                kept: Arrays = graph.kept
                return kept
        return []


def _same(recorded: list[Any], state: list[Any]) -> bool:
    return recorded is state or (len(recorded) == len(state) and all(map(is_, recorded, state)))


def is_ours(network: Network) -> bool:
    """Whether the network and its parts are of classes of this package, or made of such: by kernels alone."""
    regularizers = [
        regularizer
        for part in network._parts()
        if isinstance(part, Layer)
        for regularizer in (part.activity_regularizer, *(p.regularizer for p in part.weights))
    ]
    parts = [*network._parts(), *regularizers]
    if any(getattr(part, "on_host", False) for part in parts):
        return False
    return all(
        constructors.is_ours(type(part)) or getattr(part, "is_composed", False)
        for part in (network, *network._parts())
        if part is not None  # a loss, of a model that is not compiled
    )
