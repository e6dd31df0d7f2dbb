"""Every optimizer and schedule beside Keras's own: steps, state, files both ways, configuration, signature."""

import inspect
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import optimizers_peer as peer
import pytest

from numba_cnn import backends, layers, models, optimizers
from numba_cnn.parameter import Parameter
from numba_cnn.settings import accepted

pytestmark = pytest.mark.xdist_group("optimizers against keras")  # one process asks Keras, once

CLASSES = (
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD",
)  # fmt: skip
EXPONENTIAL = [
    "ExponentialDecay",
    {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
]
OPTIMIZERS = {
    **{name: (name, {"learning_rate": 0.05}) for name in CLASSES},
    "adadelta of its own": ("Adadelta", {"learning_rate": 1.0, "rho": 0.7, "epsilon": 1e-3}),
    "adagrad of its own": ("Adagrad", {"initial_accumulator_value": 0.3, "epsilon": 1e-2}),
    "amsgrad": ("Adam", {"learning_rate": 0.05, "amsgrad": True, "beta_1": 0.5, "beta_2": 0.6}),
    "adamw, amsgrad": ("AdamW", {"learning_rate": 0.05, "amsgrad": True, "weight_decay": 0.2}),
    "ftrl of its own": (
        "Ftrl",
        {
            "learning_rate": 0.1, "learning_rate_power": -0.3, "initial_accumulator_value": 0.2, "beta": 0.1,
            "l1_regularization_strength": 0.5, "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
        },
    ),
    "rmsprop, momentum": ("RMSprop", {"learning_rate": 0.02, "momentum": 0.8}),
    "rmsprop, centered": ("RMSprop", {"learning_rate": 0.02, "centered": True, "rho": 0.7}),
    "rmsprop, both": ("RMSprop", {"learning_rate": 0.02, "centered": True, "momentum": 0.8}),
    "momentum": ("SGD", {"learning_rate": 0.02, "momentum": 0.8}),
    "nesterov": ("SGD", {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True}),
    "weight decay": ("SGD", {"learning_rate": 0.1, "weight_decay": 0.5}),
    "clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 2.0}),
    "clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 1.5}),
    "global clipnorm": ("SGD", {"learning_rate": 0.1, "global_clipnorm": 2.0}),
    "averages": ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.7}),
    "averages that overwrite": (
        "Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
    ),
    "accumulated": ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}),
    "all at once": (
        "RMSprop",
        {
            "learning_rate": EXPONENTIAL, "momentum": 0.5, "centered": True, "use_ema": True, "weight_decay": 0.1,
            "gradient_accumulation_steps": 3, "global_clipnorm": 1.0,
        },
    ),
    "nadam, scheduled": ("Nadam", {"learning_rate": EXPONENTIAL}),
}  # fmt: skip
START = {"initial_learning_rate": 0.3, "decay_steps": 20}
SCHEDULES = {
    "exponential": ("ExponentialDecay", {**START, "decay_rate": 0.7}),
    "exponential stairs": ("ExponentialDecay", {**START, "decay_rate": 0.7, "staircase": True}),
    "piecewise": ("PiecewiseConstantDecay", {"boundaries": [5, 20, 50], "values": [1.0, 0.5, 0.2, 0.1]}),
    "polynomial": ("PolynomialDecay", {**START, "power": 2.0}),
    "polynomial cycles": ("PolynomialDecay", {**START, "cycle": True, "end_learning_rate": 0.1}),
    "inverse time": ("InverseTimeDecay", {**START, "decay_rate": 0.7}),
    "inverse time stairs": ("InverseTimeDecay", {**START, "decay_rate": 0.7, "staircase": True}),
    "cosine": ("CosineDecay", {**START, "alpha": 0.1}),
    "cosine, warm": ("CosineDecay", {**START, "warmup_target": 0.6, "warmup_steps": 10}),
    "restarts": ("CosineDecayRestarts", {"initial_learning_rate": 0.3, "first_decay_steps": 8, "alpha": 0.1}),
    "restarts alike": (
        "CosineDecayRestarts", {"initial_learning_rate": 0.3, "first_decay_steps": 8, "t_mul": 1.0, "m_mul": 0.8},
    ),
}  # fmt: skip


def trained(case):
    model = peer.model(layers, models, peer.made(optimizers, case))
    peer.fit(model)
    return model


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """(arrays, answers, folder): what Keras answers to all the cases, from one process."""
    folder = tmp_path_factory.mktemp("keras_optimizers")
    for name, case in OPTIMIZERS.items():
        trained(case).save(folder / f"ours_{name}.keras")
    cases = {"optimizers": OPTIMIZERS, "schedules": SCHEDULES}
    (folder / "cases.json").write_text(json.dumps(cases))
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run([sys.executable, peer.__file__, folder], check=True, env=os.environ | settings)
    answers = json.loads((folder / "answers.json").read_text())
    return np.load(folder / "answers.npz"), answers, folder


def stepped(case):
    """The optimizer after the steps, and the weights after each."""
    optimizer, found = peer.made(optimizers, case), []
    parameters = [Parameter(f"w{i}", f"w{i}", w.shape, None) for i, w in enumerate(peer.weights())]
    for parameter, value in zip(parameters, peer.weights(), strict=True):
        parameter.value = value
    optimizer.build(parameters, backends.get("cpu"))
    for step in range(peer.STEPS):
        for parameter, gradient in zip(parameters, peer.gradients(step), strict=True):
            parameter.gradient = gradient
        optimizer.step(parameters)
        found.append([parameter.numpy() for parameter in parameters])
    return optimizer, found, parameters


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_and_state(name, keras):
    arrays, answers, _ = keras
    optimizer, found, _parameters = stepped(OPTIMIZERS[name])
    for step, weights in enumerate(found):
        for i, weight in enumerate(weights):
            np.testing.assert_allclose(weight, arrays[f"{name}/{step}/{i}"], rtol=2e-5, atol=2e-6)
    state = optimizer.get_variables()
    assert f"{name}/state/{len(state)}" not in arrays
    assert len(optimizer.state_names()) == len(state)
    for i, array in enumerate(state):
        np.testing.assert_allclose(array, arrays[f"{name}/state/{i}"], rtol=3e-5, atol=2e-6)
    ours, theirs = optimizer.get_config(), answers["configs"][name]
    assert {**ours, "name": 0, "learning_rate": 0} == {**theirs, "name": 0, "learning_rate": 0}
    if not isinstance(theirs["learning_rate"], dict):
        assert ours["learning_rate"] == pytest.approx(theirs["learning_rate"])
    else:
        assert ours["learning_rate"] == theirs["learning_rate"]
    twin = optimizers.get({"class_name": OPTIMIZERS[name][0], "config": theirs})
    assert twin.get_config() == {**theirs, "learning_rate": twin.get_config()["learning_rate"]}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_files_both_ways(name, keras):
    arrays, answers, folder = keras
    model = trained(OPTIMIZERS[name])
    for i, array in enumerate(model.optimizer.get_variables()):
        np.testing.assert_allclose(arrays[f"{name}/ours/{i}"], array, rtol=1e-6)
    expected = peer.fit(model)
    np.testing.assert_allclose(answers["losses"][f"ours_{name}"], expected, rtol=1e-4)
    np.testing.assert_allclose(answers["losses"][name], expected, rtol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = models.load_model(folder / f"theirs_{name}.keras", backend="cpu")
    np.testing.assert_allclose(peer.fit(theirs), expected, rtol=1e-4)


@pytest.mark.parametrize("name", CLASSES)
def test_signatures(name, keras):
    theirs = keras[1]["signatures"][name]
    cls, ours = getattr(optimizers, name), {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base) and base is not object:
            ours |= peer.defaults(base)
    ours.pop("self", None)
    assert {key: ours[key] for key in theirs} == theirs
    assert set(accepted(cls)) == set(theirs)
    assert type(optimizers.get(name.lower())) is type(optimizers.get(name)) is cls


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, keras):
    _, answers, _ = keras
    cls, settings = SCHEDULES[name]
    schedule = getattr(optimizers.schedules, cls)(**settings)
    rates = [schedule(step) for step in peer.SCHEDULED]
    np.testing.assert_allclose(rates, answers["rates"][name], rtol=2e-6, atol=1e-7)
    assert schedule.get_config() == answers["configs"][name]
    assert peer.defaults(type(schedule)) == answers["signatures"][cls]
    described = {"class_name": cls, "config": schedule.get_config()}
    assert optimizers.schedules.get(described).get_config() == schedule.get_config()
    assert list(inspect.signature(type(schedule)).parameters) == list(answers["signatures"][cls])
