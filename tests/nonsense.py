"""Calls with one nonsense argument each: python -m tests.nonsense --calls 9000 --seed 0.

Public functions, constructors, methods and settings are found in the namespaces; EXAMPLES has the arguments
of one good call of each, KINDS what each parameter takes. A call is right if it ends in a ValueError or
TypeError that names the argument and says what was received.
"""

import argparse
import contextlib
import inspect
import io
import math
import os
import random
import re
import tempfile
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np

import numba_cnn
from numba_cnn import (
    activations,
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
)

VALUES = {
    "None": None,
    "text": "nonsense",
    "empty text": "",
    "bytes": b"ab",
    "true": True,
    "zero": 0,
    "minus one": -1,
    "fraction": 1.5,
    "minus half": -0.5,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "too large": 1e300,
    "numpy nan": np.float32("nan"),
    "complex": 1j,
    "list": ["a", None],
    "ragged": [[1], [1, 2]],
    "empty list": [],
    "empty tuple": (),
    "three": (1, 2, 3),
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "class": int,
    "function": print,
    "module": math,
    "objects": np.array([None, "a"], object),
    "texts": np.array(["a", "b"]),
    "complex array": np.ones(3, complex),
    "nan array": np.full(3, np.nan),
    "range": range(2),
}

# What of the above each kind of parameter takes after all.
KINDS = {
    "anything": set(VALUES),
    "array": set(),
    "count": set(),
    "count from 0": {"zero"},
    "number": {"zero", "minus one", "fraction", "minus half"},
    "number from 0": {"zero", "fraction"},
    "positive number": {"fraction"},
    "share": {"zero"},
    "flag": {"true", "zero"},
    "verbosity": {"true", "zero"},
    "text": {"text"},
    "path": {"text"},
    "name": {"text", "empty text"},
    "callable": {"function", "class"},
    "choice": set(),
    "size": set(),
    "padding": {"zero", "range"},
    "shape": set(),
    "extents": {"three", "empty tuple", "empty list", "range"},
    "sample shape": {"three"},
    "objects": {"empty list", "empty tuple"},
    "weights": set(),
    "separator": set(),
    "mapping": set(),
}

# The kind of a parameter wherever it has that name; "?" in front: None is fine too.
PARAMETERS = {
    "activation": "?choice", "algorithm": "choice", "append": "flag", "argmax": "array", "backend": "choice",
    "baseline": "?number", "batch_shape": "?shape", "batch_size": "?count", "beta_1": "share", "beta_2": "share",
    "bias": "?array", "bias_initializer": "choice", "callbacks": "?objects", "class_weight": "?mapping",
    "classes": "count", "compile": "flag", "config": "mapping", "cooldown": "count from 0", "count": "count",
    "data_format": "?choice", "dilation_rate": "size", "distribution": "choice", "dtype": "choice", "dy": "array",
    "epochs": "count from 0", "epsilon": "number from 0", "expand_nested": "anything", "factor": "share",
    "filename": "path", "filepath": "path", "filters": "count", "from_logits": "flag", "groups": "count",
    "identifier": "choice", "index": "?count from 0", "initial_epoch": "count from 0",
    "initial_value_threshold": "?number", "input_shape": "shape", "iterations": "count from 0",
    "kernel_initializer": "choice", "kernel_size": "size", "labels": "array", "layer": "choice",
    "layer_range": "?objects", "layers": "?objects", "learning_rate": "number from 0", "line_length": "?count",
    "logits": "array", "loss": "choice", "maxval": "number", "mean": "number", "metrics": "?objects",
    "min_delta": "number", "min_lr": "number from 0", "minval": "number", "mode": "choice", "momentum": "share",
    "monitor": "text", "n": "count", "name": "?name", "need_dx": "flag", "nesterov": "flag", "optimizer": "choice",
    "overwrite": "flag", "padding": "padding", "params": "anything", "path": "path", "patience": "count from 0",
    "pool_size": "size", "positions": "?objects", "print_fn": "?callable", "restore_best_weights": "flag",
    "return_dict": "flag", "rho": "share", "sample_weight": "?array", "save_best_only": "flag",
    "save_freq": "choice", "save_weights_only": "flag", "scale": "positive number", "schedule": "callable",
    "seed": "?count from 0", "separator": "separator", "shape": "extents", "show_trainable": "flag",
    "shuffle": "flag", "start_from_epoch": "count from 0", "stddev": "number from 0", "strides": "?size",
    "trainable": "flag", "units": "count", "use_bias": "flag", "validation_batch_size": "?count",
    "validation_data": "?objects of two", "validation_freq": "count", "validation_split": "share", "value": "number",
    "variables": "weights", "verbose": "verbosity", "weight": "array", "weights": "weights", "x": "array",
    "x_shape": "shape", "y": "array", "size": "count", "source": "path", "most": "count from 0",
    "generator": "choice", "out": "array", "on_epoch_end": "callable", "model": "anything",
}  # fmt: skip
KINDS |= {"objects of two": set(), "vector": {"range"}, "place": {"zero", "minus one"}}
# Where the same name takes something else.
EXCEPTIONS = {
    "ops.conv2d.strides": "size", "ops.conv2d_backward.strides": "size", "ops.conv2d_max_pool2d.strides": "size",
    "ops.conv2d_max_pool2d_backward.strides": "size", "layers.Conv2D.strides": "size",
    "layers.Conv2D.padding": "choice", "layers.MaxPooling2D.padding": "choice", "layers.MaxPool2D.padding": "choice",
    "activations.linear.x": "anything", "activations.name_of.identifier": "?choice",
    "losses.SparseCategoricalCrossentropy.name": "text", "metrics.SparseCategoricalAccuracy.name": "text",
    "metrics.Mean.name": "text", "models.tutorial_cnn.input_shape": "?shape", "layers.Input.shape": "sample shape",
    "layers.InputLayer.shape": "sample shape", "layers.InputLayer.input_shape": "?sample shape",
    "callbacks.EarlyStopping.mode": "choice", "datasets.image_folder.size": "shape",
    "ops.conv2d_backward.y": "?array", "ops.dense_backward.y": "?array", "metrics.Mean.add.value": "array",
    "ops.conv2d_max_pool2d_backward.y": "?array", "Sequential.fit.validation_split": "share",
    "Sequential.get_layer.name": "choice", "callbacks.ModelCheckpoint.filepath": "choice",
    "Sequential.save.filepath": "choice", "Sequential.save_weights.filepath": "choice",
    "Sequential.load_weights.filepath": "choice", "models.load_model.filepath": "choice",
    "datasets.load.source": "choice", "datasets.image_folder.path": "choice", "datasets.shapes.seed": "count from 0",
    "set_random_seed.seed": "count from 0", "Sequential.summary.show_trainable": "anything",
    "set_num_threads.n": "count", "optimizers.SGD.name": "?text", "optimizers.Adam.name": "?text",
    "optimizers.RMSprop.name": "?text", "models.Sequential.name": "?text", "Sequential.get_layer.index": "?place",
    "Sequential.fit.sample_weight": "?vector", "Sequential.evaluate.sample_weight": "?vector",
}  # fmt: skip

F32 = np.float32
X, W, B = np.ones((2, 4, 4, 1), F32), np.ones((3, 3, 1, 2), F32), np.ones(2, F32)
POOLED = {"argmax": np.zeros((2, 1, 1, 2), np.uint8), "dy": np.ones((2, 1, 1, 2), F32)}
ROWS, LABELS = np.ones((2, 3), F32), np.array([0, 1])
LOSS = "sparse_categorical_crossentropy"


def _dense():
    layer = layers.Dense(2)
    layer.build((None, 3))
    return layer


def model():
    """A small model in use."""
    made = models.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])
    made.compile("adam", LOSS, ["accuracy"], backend="cpu")
    return made


def _shared():
    if not _cache:
        _cache.append(model())
        _cache[0].fit(ROWS, LABELS, verbose=0)
    return _cache[0]


_cache = []
FIT = {"x": ROWS, "y": LABELS, "verbose": 0}

# The arguments of one good call, where there must be some.
EXAMPLES = {
    "ops.conv2d": {"x": X, "weight": W},
    "ops.conv2d_backward": {"dy": np.ones((2, 2, 2, 2), F32), "x": X, "weight": W},
    "ops.conv2d_max_pool2d": {"x": X, "weight": W},
    "ops.conv2d_max_pool2d_backward": {**POOLED, "x": X, "weight": W},
    "ops.dense": {"x": ROWS, "weight": np.ones((3, 2), F32)},
    "ops.dense_backward": {"dy": np.ones((2, 2), F32), "x": ROWS, "weight": np.ones((3, 2), F32)},
    "ops.max_pool2d": {"x": X},
    "ops.max_pool2d_backward": {
        "dy": np.ones((2, 2, 2, 1), F32), "argmax": np.zeros((2, 2, 2, 1), np.uint8), "x_shape": (2, 4, 4, 1)},
    "ops.relu": {"x": X},
    "ops.relu_backward": {"dy": X, "y": X},
    "ops.softmax": {"x": ROWS},
    "ops.sparse_categorical_accuracy": {"logits": ROWS, "labels": LABELS},
    "ops.sparse_categorical_crossentropy": {"logits": ROWS, "labels": LABELS},
    "activations.linear": {"x": X}, "activations.name_of": {"identifier": "relu"},
    "activations.relu": {"x": X}, "activations.softmax": {"x": ROWS},
    "layers.Activation": {"activation": "relu"},
    "layers.Conv2D": {"filters": 2, "kernel_size": 3},
    "layers.Dense": {"units": 2},
    "layers.Input": {"shape": (3,)}, "layers.InputLayer": {"shape": (3,)},
    "callbacks.CSVLogger": {"filename": "log.csv"},
    "callbacks.CallbackList": {"callbacks": [], "model": None, "params": {}},
    "callbacks.LambdaCallback": {"on_epoch_end": print},
    "callbacks.LearningRateScheduler": {"schedule": abs},
    "callbacks.ModelCheckpoint": {"filepath": "m.keras"},
    "losses.get": {"identifier": LOSS}, "metrics.get": {"identifier": "accuracy"},
    "optimizers.get": {"identifier": "adam"}, "initializers.get": {"identifier": "zeros"},
    "metrics.Mean": {"name": "mean"},
    "datasets.digits": {"size": 8}, "datasets.shapes": {"n": 10}, "datasets.load": {"source": "digits"},
    "datasets.image_folder": {"path": "."},
    "datasets.shift": {"x": X, "most": 1, "generator": np.random.default_rng(0), "out": np.empty_like(X)},
    "models.load_model": {"filepath": "m.keras"}, "models.tutorial_cnn": {"input_shape": (32, 32, 1)},
    "Sequential.add": {"layer": layers.ReLU()}, "Sequential.build": {"input_shape": (None, 3)},
    "Sequential.compile": {"loss": LOSS, "backend": "cpu"}, "Sequential.fit": FIT, "Sequential.evaluate": FIT,
    "Sequential.predict": {"x": ROWS, "verbose": 0}, "Sequential.get_layer": {"index": 0},
    "Sequential.from_config": {"config": {"layers": []}},
    "Sequential.load_weights": {"filepath": "m.weights.h5"}, "Sequential.save": {"filepath": "m.keras"},
    "Sequential.save_weights": {"filepath": "m.weights.h5"},
    "Sequential.set_weights": {"weights": [np.ones((3, 2)), np.ones(2)]},
    "Sequential.summary": {"print_fn": str}, "Sequential.__call__": {"x": ROWS},
    "Sequential.train_step": {"x": ROWS, "labels": LABELS},
    "Layer.build": {"input_shape": (None, 3)}, "Layer.compute_output_shape": {"input_shape": (None, 3)},
    "Layer.set_weights": {"weights": [np.ones((3, 2)), np.ones(2)]}, "Layer.__call__": {"x": ROWS},
    "Optimizer.set_variables": {"variables": []},
    "Loss.__call__": {"logits": ROWS, "labels": LABELS}, "Metric.of_batch": {"logits": ROWS, "labels": LABELS},
    "Initializer.__call__": {"shape": (2, 3)},
    "set_random_seed": {"seed": 1}, "set_num_threads": {"n": 1},
}  # fmt: skip

# Nonsense inside of what would be fine.
INSIDE = {
    "Sequential.fit.class_weight": {
        f"{{{label}: {weight!r}}}": {label: weight}
        for label, weight in (
            (0, math.nan), (0, math.inf), (0, None), (0, "a"), (0, [1]), (0, 1j), (0, 1e300), (2, 1.0), (-1, 1.0),
            (10**10, 1.0), (0.5, 1.0), ("a", 1.0), (None, 1.0),
        )
    },
    "set_weights.weights": {
        "NaN inside": [np.full((3, 2), math.nan), np.ones(2)], "text inside": [np.full((3, 2), "a"), np.ones(2)],
        "complex inside": [np.ones((3, 2), complex), np.ones(2)], "objects inside": [np.full((3, 2), None), np.ones(2)],
        "infinity inside": [np.full((3, 2), math.inf), np.ones(2)], "one too few": [np.ones((3, 2))],
    },
    "Sequential.fit.y": {"NaN": np.array([0, math.nan]), "half": np.array([0, 0.5]), "one-hot": np.eye(2)},
    "Sequential.fit.validation_data": {"x alone": ROWS, "four": (ROWS, LABELS, LABELS, 1)},
    "Sequential.fit.x": {"generator": (row for row in ROWS), "frame": {"x": ROWS}},
    "callbacks.ModelCheckpoint.filepath": {"{}": "{}.keras", "{0}": "{0}/m.keras", "open": "{a/m.keras",
                                           "attribute": "{epoch.real}.keras", "format": "{epoch:zz}.keras"},
}  # fmt: skip

# What an error may call the argument by.
ALIASES = {
    "identifier": "optimizer|loss|metric|initializer|activation",
    "kernel_initializer": "initializer", "bias_initializer": "initializer",
    "layers": "layer|Layer", "layer": "Layer", "metrics": "metric", "schedule": "schedule",
    "validation_batch_size": "batch_size", "weights": "kernel|bias", "variables": "state",
    "class_weight": "class_weight", "validation_data": "fit: [xy]", "x_shape": "x",
    "input_shape": "sample's shape", "path": "folders",
}  # fmt: skip


class Target(NamedTuple):
    name: str
    call: object
    parameters: tuple[str, ...]


class Outcome(NamedTuple):
    verdict: str  # right, unnamed, compiler, internal, taken
    call: str
    error: str


def targets():
    """Everything that is called."""
    spaces = {
        "ops": ops, "activations": activations, "layers": layers, "callbacks": callbacks, "losses": losses,
        "metrics": metrics, "optimizers": optimizers, "initializers": initializers, "datasets": datasets,
        "models": models,
    }  # fmt: skip
    found = []
    for space, module in spaces.items():
        for name in module.__all__:
            found += _of(f"{space}.{name}", getattr(module, name))
    found += _methods("Sequential", _shared, models.Sequential)
    found += _methods("Sequential", _shared, models.Sequential, ("__call__",))
    found += _methods(
        "Layer",
        _dense,
        layers.Layer,
        only=("build", "compute_output_shape", "set_weights", "__call__"),
    )
    found += _methods(
        "Optimizer", lambda: _shared().optimizer, optimizers.Optimizer, only=("set_variables",)
    )
    found += _methods(
        "Loss",
        losses.SparseCategoricalCrossentropy,
        losses.SparseCategoricalCrossentropy,
        ("__call__",),
    )
    found += _methods(
        "Metric",
        metrics.SparseCategoricalAccuracy,
        metrics.SparseCategoricalAccuracy,
        ("of_batch",),
    )
    found += _methods(
        "Initializer", initializers.GlorotUniform, initializers.Initializer, ("__call__",)
    )
    for name in ("set_random_seed", "set_num_threads"):
        found += _of(name, getattr(numba_cnn, name))
    return found


def _of(name, function):
    """A function, or a class's constructor and its settings, each set on a good object."""
    if name in ("models.Sequential",):
        return [Target(name, function, ("layers", "trainable", "name"))]
    if name in ("layers.from_description", "layers.describe", "optimizers.Optimizer"):
        return []  # what saving calls, and what only derived classes call
    if not inspect.isclass(function):
        return [Target(name, function, _names(function))]
    made = [Target(name, function, _accepted(name, function))]
    settings = {key: 0 for base in function.__mro__ for key in vars(base).get("_settings", {})}
    if not inspect.isabstract(function) and function not in (
        optimizers.Optimizer,
        initializers.Initializer,
    ):
        made += [Target(f"{name} = ", _setter(name, function, key), (key,)) for key in settings]
    return made


def _accepted(name, cls):
    from numba_cnn.settings import accepted

    return tuple(EXAMPLES.get(name, {})) if accepted(cls) is None else accepted(cls)


def _setter(name, cls, key):
    return lambda **value: setattr(cls(**EXAMPLES.get(name, {})), key, value[key])


def _methods(name, make, cls, only=None):
    found = []
    for method in only or [m for m in dir(cls) if not m.startswith("_")]:
        function = inspect.getattr_static(cls, method)
        if isinstance(function, property) or not callable(getattr(cls, method)):
            continue
        parameters = _names(getattr(cls, method))
        if parameters:
            call = lambda method=method, **arguments: getattr(make(), method)(**arguments)  # noqa: E731
            found.append(Target(f"{name}.{method}", call, parameters))
    return found


def _names(function):
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD)


def nonsense_for(target, parameter):
    """The values that the parameter should refuse, and their names."""
    name = target.name.removesuffix(" = ")
    kind = EXCEPTIONS.get(f"{name}.{parameter}", PARAMETERS[parameter])
    if parameter == "input_shape" and name.startswith("layers."):
        kind = "?sample shape"
    fine = KINDS[kind.removeprefix("?")] | ({"None"} if kind[0] == "?" else set())
    found = {key: value for key, value in VALUES.items() if key not in fine}
    for where, values in INSIDE.items():
        if f"{name}.{parameter}".endswith(where):
            found |= values
    return list(found.items())


def judge(target, parameter, name, value):
    """Make the call, and say how it ended."""
    sets = target.name.endswith(" = ")
    arguments = {**({} if sets else EXAMPLES.get(target.name, {})), parameter: value}
    shown = f"{target.name}({parameter}={name})"
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            target.call(**arguments)
    except (ValueError, TypeError) as error:
        text = str(error)
        if type(error).__module__.startswith("numba.") or "nopython" in text:
            return Outcome("compiler", shown, text)
        named = re.search(rf"\b({ALIASES.get(parameter, parameter)}|{parameter})\b", text)
        right = named and "Received" in text
        return Outcome("right" if right else "unnamed", shown, f"{type(error).__name__}: {text}")
    except FileNotFoundError as error:
        named = parameter in ("filepath", "path", "source") and str(value) in str(error)
        return Outcome("right" if named else "internal", shown, str(error))
    except Exception as error:
        compiler = type(error).__module__.startswith(("numba.", "llvmlite"))
        return Outcome(
            "compiler" if compiler else "internal", shown, f"{type(error).__name__}: {error}"
        )
    return Outcome("taken", shown, "")


def run(calls, seed, without=()):
    """So many calls drawn from the seed, in an empty folder; none of targets that begin with one of `without`."""
    chance, outcomes = random.Random(seed), []
    called = [target for target in targets() if not target.name.startswith(tuple(without))]
    pairs = [(target, p) for target in called for p in target.parameters]
    pairs = [(target, p, nonsense_for(target, p)) for target, p in pairs]
    pairs = [pair for pair in pairs if pair[2]]
    before, state = os.getcwd(), np.random.get_state()  # noqa: NPY002
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for _ in range(calls):
                target, parameter, values = chance.choice(pairs)
                outcomes.append(judge(target, parameter, *chance.choice(values)))
        finally:
            os.chdir(before)
            np.random.set_state(state)  # noqa: NPY002
    return outcomes


def shares(outcomes):
    counts = Counter(outcome.verdict for outcome in outcomes)
    return {v: counts[v] for v in ("right", "unnamed", "compiler", "internal", "taken")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes = run(arguments.calls, arguments.seed)
    wrong = {o.call: o for o in outcomes if o.verdict != "right"}
    for outcome in sorted(wrong.values()):
        print(f"{outcome.verdict:9} {outcome.call}  {outcome.error[:160]!r}")
    print(f"{len(outcomes)} calls, seed {arguments.seed}")
    for verdict, count in shares(outcomes).items():
        print(f"{verdict:9} {count:6}  {100 * count / len(outcomes):5.1f} %")


if __name__ == "__main__":
    main()
