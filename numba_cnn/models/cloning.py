"""Models of the same layers with new weights, or of what a function makes of each layer."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba_cnn import custom, nearest
from numba_cnn.constructors import is_ours
from numba_cnn.layers import Input, InputLayer, Layer
from numba_cnn.layers.tensor import Tensor
from numba_cnn.models import loading
from numba_cnn.models.files import Saved, described, layer_from
from numba_cnn.models.functional import Model
from numba_cnn.models.sequential import Sequential
from numba_cnn.nearest import keywords
from numba_cnn.settings import Checked, flag, function, optional

Clone = Callable[[Any], Any]


@keywords
def clone_model(
    model: Saved,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Saved:
    """A model of the same layers and names, with new weights; compiled by the same settings if the model was.

    input_tensors     what Input(...) returned, as model.input is arranged: the clone's inputs
    clone_function    what makes a layer of each layer but inputs; one with new weights if it is None. A layer that it
                      returns as it is is shared, with its weights
    call_function     f(layer, *inputs, training=...) that calls the new layers of a Model; it may call others too
    recursive         whether the layers of models inside are cloned by the functions, and not those models as layers

    Raises ValueError for functions and inputs where the model is a Sequential (call_function) or of a class that
    defines call().
    """
    model = loading._model("clone_model", model)
    clone_function = optional(function)("clone_model", "clone_function", clone_function)
    call_function = optional(function)("clone_model", "call_function", call_function)
    recursive = flag("clone_model", "recursive", recursive)
    _check(model, input_tensors, clone_function, call_function)
    with custom.CustomObjectScope(_own_classes(model)):
        if input_tensors is clone_function is call_function is None:
            made: Saved = type(model).from_config(model.get_config())
        else:
            cloned = _Cloned(clone_function or _with_new_weights, call_function, recursive)
            made = cloned.model(model, input_tensors)
        settings = model._compile_config().get("compile_config")
        if settings is not None:
            loading.compile_as_described("clone_model", made, settings, model.backend.NAME)
    return made


class _Cloned:
    """The clones of layers; one for each layer, however often it is called."""

    def __init__(self, clone: Clone, call: Callable[..., Any] | None, recursive: bool) -> None:
        self._clone, self._call, self._recursive = clone, call, recursive
        self._found: dict[int, Any] = {}

    def model(self, model: Saved, inputs: Any) -> Saved:
        if isinstance(model, Sequential):
            return self._sequential(model, inputs)
        assert isinstance(model, Model)
        return self._functional(model, inputs)

    def layer(self, layer: Any) -> Any:
        if id(layer) not in self._found:
            inside = self._recursive and isinstance(layer, Sequential | Model)
            made = self.model(layer, None) if inside else self._clone(layer)
            if not isinstance(made, Layer):
                raise TypeError(
                    f"clone_model: clone_function must return a layer. Received: {nearest.shown(made)}, "
                    f"for {layer.name}"
                )
            self._found[id(layer)] = made
        return self._found[id(layer)]

    def _sequential(self, model: Sequential, inputs: Any) -> Sequential:
        stack = [self.layer(layer) for layer in model.layers]
        if inputs is not None:
            stack.insert(0, _tensors(inputs, 1)[0])
        elif model._input_layer is not None:
            first = model._input_layer
            stack.insert(0, InputLayer(first.first_shape, name=first.name))
        made = Sequential(stack, name=model.name)
        if model.built and not made.built and model.input_shape is not None:
            made.build(model.input_shape)
        return made

    def _functional(self, model: Model, inputs: Any) -> Model:
        starts = (
            [Input(start.shape[1:], name=start.name) for start in model._starts]
            if inputs is None
            else _tensors(inputs, len(model._starts))
        )
        found = {id(old): new for old, new in zip(model._starts, starts, strict=True)}
        for node in model._calls:
            if not node.inputs:
                continue
            layer = self.layer(node.layer)
            given = node.arranged([found[id(tensor)] for tensor in node.inputs])
            settings = {} if node.training is None else {"training": node.training}
            made = (self._call or _called)(layer, *given, **settings)
            listed = made if isinstance(made, list | tuple) else [made]
            found |= {id(old): new for old, new in zip(node.outputs, listed, strict=True)}
        ends = model._arranged([found[id(end)] for end in model._ends])
        keyed: Any = starts[0] if len(starts) == 1 else starts
        if model._keys is not None:
            keyed = dict(zip(model._keys, starts, strict=True))
        cls = type(model) if model._is_functional() else Model
        return cls(keyed, ends, name=model.name)


def _with_new_weights(layer: Layer) -> Layer:
    return layer_from(described(layer))


def _called(layer: Any, *inputs: Any, **settings: Any) -> Any:
    return layer(*inputs, **settings)


def _check(model: Saved, inputs: Any, clone: Clone | None, call: Any) -> None:
    if isinstance(model, Sequential) and call is not None:
        raise ValueError(
            "clone_model: call_function takes a Model; the layers of a Sequential are listed, not called. "
            f"Received: {model.name}"
        )
    if model.is_composed and not (inputs is clone is call is None):
        raise ValueError(
            "clone_model: functions and input_tensors take a Sequential or a Model of inputs and outputs. "
            f"Received: {model.name}, whose class defines call()"
        )


def _tensors(given: Any, count: int) -> list[Tensor]:
    """The inputs of a clone, known to be what Input() returned."""
    if isinstance(given, dict):
        given = [given[key] for key in sorted(given)]
    found = list(given) if isinstance(given, list | tuple) else [given]
    is_input = all(isinstance(one, Tensor) and not one.node.inputs for one in found)
    if not is_input or len(found) != count:
        raise ValueError(
            f"clone_model: input_tensors must be what Input(...) returned, {count} of them. "
            f"Received: {nearest.shown(given)}"
        )
    return found


def _own_classes(model: Saved) -> dict[str, Any]:
    """The classes and functions of the user's own that the model is made of and compiled with, by the names that
    configurations have for them."""
    layers = [*model._leaves(), *model._networks()]
    parts = [part for layer in layers for part in (layer, *vars(layer).values())]
    for objective in model._objectives:
        parts += [objective.loss, *objective.metrics]
    found: set[Any] = {
        type(part)
        for part in (*parts, model.optimizer)
        if isinstance(part, Checked) and not is_ours(type(part))
    }
    functions = (getattr(part, "function", None) for part in parts)
    found |= {one for one in functions if isinstance(one, FunctionType)}
    return {custom.get_registered_name(one): one for one in found}
