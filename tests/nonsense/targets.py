"""Everything that is called."""

import inspect
from typing import NamedTuple

import numba_cnn
from numba_cnn import (
    activations,
    callbacks,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    plots,
    preprocessing,
    regularizers,
    reports,
    saving,
    serving,
    utils,
)
from numba_cnn.settings import Checked, accepted

from .examples import EXAMPLES, dense, shared


class Target(NamedTuple):
    name: str
    call: object
    parameters: tuple[str, ...]


def targets():
    """Everything that is called."""
    spaces = {
        "ops": ops, "activations": activations, "layers": layers, "callbacks": callbacks, "losses": losses,
        "metrics": metrics, "optimizers": optimizers, "optimizers.schedules": optimizers.schedules,
        "regularizers": regularizers, "constraints": constraints,
        "initializers": initializers, "datasets": datasets, "models": models,
    }  # fmt: skip
    found = []
    for space, module in spaces.items():
        for name in module.__all__:
            found += _of(f"{space}.{name}", getattr(module, name))
    found += _methods("Sequential", shared, models.Sequential)
    found += _methods("Sequential", shared, models.Sequential, ("__call__",))
    found += _methods(
        "Layer",
        dense,
        layers.Layer,
        only=("build", "compute_output_shape", "set_weights", "__call__"),
    )
    found += _methods(
        "Optimizer",
        lambda: shared().optimizer,
        optimizers.Optimizer,
        only=("set_variables", "finalize_variable_values"),
    )
    found += _methods(
        "Optimizer", optimizers.Adam, optimizers.Optimizer, ("exclude_from_weight_decay",)
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
    image = preprocessing.image
    found += _of("ImageDataGenerator", image.ImageDataGenerator)
    found += _methods(
        "ImageDataGenerator", image.ImageDataGenerator, image.ImageDataGenerator,
        ("flow", "flow_from_directory", "fit", "random_transform", "get_random_transform"),
    )  # fmt: skip
    found += _of("utils.image_dataset_from_directory", utils.image_dataset_from_directory)
    for name in ("register_keras_serializable", "get_registered_name", "CustomObjectScope"):
        found += _of(f"saving.{name}", getattr(saving, name))
    found += _methods("Progbar", lambda: utils.Progbar(4), utils.Progbar, ("update", "add"))
    for name in (name for name in config.__all__ if name.startswith("set_")):
        if name not in numba_cnn.__all__:
            found += _of(f"config.{name}", getattr(config, name))
    for name in (
        "Progbar",
        "plot_model",
        "split_dataset",
        "pad_sequences",
        "unpack_x_y_sample_weight",
    ):
        found += _of(f"utils.{name}", getattr(utils, name))
    for name in (name for name in plots.__all__ if name != "plot_model"):
        found += _of(f"plots.{name}", getattr(plots, name))
    for name in ("results_of", "write"):
        found += _of(f"reports.{name}", getattr(reports, name))
    found += _of("serving.Server", serving.Server)
    for name in ("set_conv_algorithm", "set_random_seed", "set_num_threads"):
        found += _of(name, getattr(numba_cnn, name))
    return found


def _of(name, function):
    """A function, or a class's constructor and its settings, each set on a good object; nothing of a module."""
    if inspect.ismodule(function):
        return []
    if name in ("models.Sequential",):
        return [Target(name, function, ("layers", "trainable", "name"))]
    if name in (
        "layers.from_description",
        "layers.describe",
        "optimizers.Optimizer",
        "optimizers.schedules",
        "optimizers.schedules.LearningRateSchedule",
        "regularizers.Regularizer",
        "constraints.Constraint",
    ):
        return []  # what saving calls, and what only derived classes call
    if not inspect.isclass(function):
        return [Target(name, function, _names(function))]
    if not issubclass(function, Checked):
        return [Target(name, function, _names(function.__init__))]
    made = [Target(name, function, _accepted(name, function))]
    settings = {key: 0 for base in function.__mro__ for key in vars(base).get("_settings", {})}
    if not inspect.isabstract(function) and function not in (
        optimizers.Optimizer,
        initializers.Initializer,
    ):
        made += [Target(f"{name} = ", _setter(name, function, key), (key,)) for key in settings]
    return made


def _accepted(name, cls):
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
