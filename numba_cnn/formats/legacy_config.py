"""What .h5 files, and .keras files of Keras 2, say of a model and its training, in the words of Keras 3; and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MODELS = {"Model": "Functional", "Functional": "Functional", "Sequential": "Sequential"}
# What Keras 2 wrote into the configurations of layers, and Keras 3 does not know.
_DROPPED = "sparse", "ragged", "optional", "batch_input_shape", "input_dim", "implementation"
_DROPPED_OF_OPTIMIZERS = "is_legacy_optimizer", "jit_compile", "decay"
_OPTIMIZERS = {"Custom>Adam": "Adam", "Custom>SGD": "SGD", "Custom>RMSprop": "RMSprop"}


def model(config: Any) -> dict[str, Any]:
    """A model's description from model_config."""
    if not isinstance(config, Mapping):
        return {"class_name": None, "config": None}
    return _layer(config)


def described(config: Any) -> dict[str, Any]:
    """A model's description with what it was compiled with, from a .keras file of Keras 2."""
    found = model(config)
    compiled = found.get("compile_config")
    if isinstance(compiled, Mapping):
        found["compile_config"] = training(
            {**compiled, "optimizer_config": compiled.get("optimizer")}
        )
    return found


def training(config: Any) -> Any:
    """What the model was compiled with, from training_config."""
    if not isinstance(config, Mapping):
        return None
    optimizer = config.get("optimizer_config")
    if isinstance(optimizer, Mapping):
        optimizer = _optimizer(optimizer)
    return {
        "optimizer": optimizer,
        "loss": _loss(config.get("loss")),
        "metrics": _metrics(config.get("metrics")),
        "loss_weights": config.get("loss_weights"),
    }


def written_training(config: Mapping[str, Any]) -> dict[str, Any]:
    """training_config from a compile_config."""
    optimizer = config["optimizer"]
    return {
        "loss": config["loss"],
        "metrics": config["metrics"],
        "weighted_metrics": None,
        "loss_weights": config.get("loss_weights"),
        "optimizer_config": {key: optimizer[key] for key in ("class_name", "config")},
    }


def _layer(description: Mapping[str, Any]) -> dict[str, Any]:
    name, config = description.get("class_name"), description.get("config")
    found = dict(description)
    if isinstance(config, list):  # a Sequential of Keras before 2.2
        config = {"layers": config}
    if isinstance(config, Mapping):
        found["config"] = _config(name, config)
    if isinstance(name, str) and name in _MODELS:
        found["class_name"] = _MODELS[name]
    nodes = description.get("inbound_nodes")
    if isinstance(nodes, list):
        found["inbound_nodes"] = [_node(node) for node in nodes]
    return found


def _config(name: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in config.items() if key not in _DROPPED}
    shape = config.get("batch_input_shape")
    if isinstance(shape, list):
        word = "batch_shape" if name == "InputLayer" else "input_shape"
        found[word] = shape if name == "InputLayer" else shape[1:]
    if name == "InputLayer":
        found.pop("dtype", None)
    if isinstance(found.get("axis"), list) and len(found["axis"]) == 1:  # of batch normalisation
        found["axis"] = found["axis"][0]
    if isinstance(found.get("layers"), list) and isinstance(name, str) and name in _MODELS:
        layers = [_layer(one) if isinstance(one, Mapping) else one for one in found["layers"]]
        found["layers"] = layers
        _count_calls_from_0(layers)
    return found


def _count_calls_from_0(layers: list[Any]) -> None:
    """Keras 2 counts the calls of models inside from 1: to build one is its first."""
    inside = {
        one.get("name")
        for one in layers
        if isinstance(one, Mapping) and one.get("class_name") in _MODELS.values()
    }
    places = [
        argument["config"]["keras_history"]
        for one in layers
        if isinstance(one, Mapping) and isinstance(one.get("inbound_nodes"), list)
        for node in one["inbound_nodes"]
        if isinstance(node, dict) and node.pop("of_keras_2", False)
        for argument in (node["args"][0] if isinstance(node["args"][0], list) else node["args"])
    ]
    for place in places:
        if place and place[0] in inside and isinstance(place[1], int) and place[1] > 0:
            place[1] -= 1


def _node(node: Any) -> Any:
    """What a layer is called on: [[layer, call, output, arguments], ...] in Keras 2."""
    if not isinstance(node, list):
        return node
    places = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [*place[:3]]}}
        for place in node
        if isinstance(place, list)
    ]
    single = len(places) == 1
    return {"args": [places[0] if single else places], "kwargs": {}, "of_keras_2": True}


def _optimizer(config: Mapping[str, Any]) -> dict[str, Any]:
    name, settings = config.get("class_name"), config.get("config")
    if not isinstance(settings, Mapping):
        return dict(config)
    kept = {key: value for key, value in settings.items() if key not in _DROPPED_OF_OPTIMIZERS}
    if "lr" in kept:
        kept["learning_rate"] = kept.pop("lr")
    return {"class_name": _OPTIMIZERS.get(str(name), name), "config": kept}


def _loss(loss: Any) -> Any:
    """Keras 2 has a loss as a name, or as an object with a `fn` or a `reduction` of its own."""
    if isinstance(loss, list | tuple):
        return [_loss(one) for one in loss]
    if not isinstance(loss, Mapping):
        return loss
    if "class_name" not in loss:
        return {key: _loss(one) for key, one in loss.items()}
    config = loss.get("config")
    if not isinstance(config, Mapping):
        return loss
    kept = {key: value for key, value in config.items() if key not in ("fn", "axis")}
    if kept.get("reduction") in ("auto", None):
        kept.pop("reduction", None)
    return {**loss, "config": kept}


def _metrics(metrics: Any) -> Any:
    """Keras 2 has wrappers around functions: their names do."""
    if isinstance(metrics, list | tuple):
        return [_metrics(one) for one in metrics]
    if not isinstance(metrics, Mapping):
        return metrics
    if metrics.get("class_name") not in ("MeanMetricWrapper", "CompileMetrics"):
        return metrics
    config = metrics.get("config")
    return config.get("name") if isinstance(config, Mapping) else metrics
