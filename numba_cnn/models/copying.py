"""What pickles and deep copies of a model hold, so that a copy trains on with the same bits.

A copy shares nothing with its original: recordings are made anew, and arrays go by way of the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba_cnn import copies
from numba_cnn.models.graphs import Graphs

if TYPE_CHECKING:
    from numba_cnn.models.learner import Learner


def state_of(model: Learner) -> dict[str, Any]:
    """The model's attributes; the optimizer's state by weight, so that frozen ones keep theirs."""
    state = {
        **vars(model),
        "_layers": list(model._layers),
        "_nodes": [],  # its own calls belong to the models that it is in
        "_graphs": None,
        "_source": None,
        "_ranks": None,
        "_sums": None,
        "_backend": copies.name_of(model._backend),
    }
    if model.optimizer is not None and model.optimizer.built:
        state["optimizer"] = model.optimizer.without_state()
        state["_optimizer_state"] = model.optimizer.state_of(model.weights)
    return state


def restore(model: Learner, state: dict[str, Any]) -> None:
    """Give a new model what state_of() told of another."""
    state = dict(state)
    optimizer_state = state.pop("_optimizer_state", None)
    backend = copies.restored(state["_backend"])
    vars(model).update(state, _graphs=Graphs(), _backend=backend)
    for call in model._calls:
        if call not in call.layer._nodes:
            call.layer._nodes.append(call)
    model._place()
    if optimizer_state is not None and model.optimizer is not None:
        model.optimizer.restore(model.weights, optimizer_state, backend, model)
    if model.history is not None:
        model.history.set_model(model)
