"""Models as layers, of several inputs and outputs, and of unknown extents, beside Keras from the same weights."""

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import models_peer
import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import layers, models

NAMES = list(models_peer.MODELS)


def ask_keras(folder):
    settings = {
        "KERAS_BACKEND": "jax",
        "COLUMNS": "120",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }
    command = [sys.executable, models_peer.__file__, folder]
    subprocess.run(command, check=True, env=os.environ | settings)


@pytest.fixture(scope="module", autouse=True)
def _direct_sums():
    nc.set_conv_algorithm("direct")
    yield
    nc.set_conv_algorithm("auto")


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    ask_keras(folder)
    return folder


@pytest.fixture(scope="module")
def read_by_keras(tmp_path_factory):
    """What Keras makes of the files of this library's models, and how they go on here."""
    folder = tmp_path_factory.mktemp("ours")
    expected = {}
    for name, cls in models_peer.MODELS.items():
        model = made(name)
        models_peer.trained(cls, model)
        model.save(folder / f"ours_{name}.keras")
        model.save_weights(folder / f"ours_{name}.weights.h5")
        expected[name] = model.get_weights(), models_peer.more(cls, model)
    ask_keras(folder)
    return folder, expected


def made(name):
    nc.clear_session()
    return models_peer.MODELS[name].build(layers, models)


def as_json(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_says_of_itself(name, keras, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    expected = json.loads((Path(keras) / f"{name}.json").read_text())
    found = as_json(models_peer.described(made(name)))
    for key, value in found.items():
        assert value == expected[key], key


@pytest.mark.parametrize("name", NAMES)
def test_training(name, keras):
    expected, told = (
        np.load(keras / f"{name}.npz"),
        json.loads((keras / f"{name}.json").read_text()),
    )
    model = made(name)
    arrays, found = models_peer.trained(models_peer.MODELS[name], model)
    assert list(found["history"]) == list(told["history"])
    for key, values in found["history"].items():
        np.testing.assert_allclose(values, told["history"][key], rtol=1e-4, err_msg=key)
    np.testing.assert_allclose(found["evaluated"], told["evaluated"], rtol=1e-4)
    for key, array in arrays.items():
        moving = key[0] == "w" and "moving" in model.weights[int(key[1:])].name
        tolerance = 1e-5 if moving or key.startswith("predicted") else 1e-4
        np.testing.assert_allclose(array, expected[key], atol=tolerance, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_keras_files(name, keras):
    expected = np.load(keras / f"{name}.npz")
    for model in (models.load_model(keras / f"{name}.keras"), made(name)):
        if not model.optimizer:
            model.load_weights(keras / f"{name}.weights.h5")
        for i, weight in enumerate(model.get_weights()):
            np.testing.assert_array_equal(weight, expected[f"w{i}"])


@pytest.mark.parametrize("name", NAMES)
def test_files_that_keras_reads(name, read_by_keras):
    folder, expected = read_by_keras
    weights, history = expected[name]
    found = np.load(folder / f"read_{name}.npz")
    for i, weight in enumerate(weights):
        np.testing.assert_array_equal(found[f"w{i}"], weight)
    read = json.loads((folder / f"read_{name}.json").read_text())
    assert list(read) == list(history)
    for key, values in history.items():
        np.testing.assert_allclose(read[key], values, rtol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_files_go_on_as_the_model(name, tmp_path):
    cls = models_peer.MODELS[name]
    model = made(name)
    models_peer.trained(cls, model)
    model.save(tmp_path / "m.keras")
    others = [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        models.load_model(tmp_path / "m.keras"),
    ]
    texts = []
    expected = models_peer.more(cls, model), [w.tobytes() for w in model.get_weights()]
    for other in others:
        assert (
            models_peer.more(cls, other),
            [w.tobytes() for w in other.get_weights()],
        ) == expected
    for one in (model, *others[:2]):
        one.summary(print_fn=texts.append, expand_nested=True)
    assert texts[0] == texts[1] == texts[2]
    assert {id(p) for p in model.weights}.isdisjoint(id(p) for p in others[0].weights)
