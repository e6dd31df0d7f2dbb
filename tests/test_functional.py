"""Functional models: beside Keras from the same weights, files both ways, layers of chance, wrong graphs."""

import os
import subprocess
import sys
from pathlib import Path

import functional_peer
import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import layers, models
from numba_cnn.backends import cpu

PEER = Path(functional_peer.__file__)


def ask_keras(folder):
    settings = {
        "KERAS_BACKEND": "jax",
        "COLUMNS": "100",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }
    subprocess.run([sys.executable, PEER, folder], check=True, env=os.environ | settings)


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("functional")
    ask_keras(folder)
    return folder


def test_a_model_of_branches_trains_as_keras_own(keras, tmp_path):
    expected = np.load(keras / "keras.npz")
    model = functional_peer.build(layers, models)
    found = functional_peer.results(model)
    np.testing.assert_allclose(found["predictions"], expected["predictions"], atol=1e-5)
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-4)
    for i, parameter in enumerate(model.weights):
        tolerance = 1e-5 if "moving" in parameter.name else 1e-4
        np.testing.assert_allclose(
            found[f"w{i}"], expected[f"w{i}"], atol=tolerance, err_msg=parameter.path
        )
    texts = []
    model.summary(print_fn=texts.append)
    assert texts[0] == (keras / "summary.txt").read_text()

    model.save(tmp_path / "ours.keras")
    x, y = functional_peer.data()
    more = model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history["loss"]
    ask_keras(tmp_path)
    read = np.load(tmp_path / "read.npz")
    np.testing.assert_allclose(read["losses"], more, rtol=1e-4)


def test_keras_model_goes_on_here(keras):
    model = models.load_model(keras / "keras.keras")
    expected = np.load(keras / "keras.npz")
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_array_equal(weight, expected[f"w{i}"])
    assert [layer.trainable for layer in model.layers].count(False) == 2
    x, y = functional_peer.data()
    losses = model.fit(x, y, epochs=1, batch_size=8, verbose=0, shuffle=False).history["loss"]
    assert losses[0] < expected["losses"][-1]


def trained(steps=4):
    nc.set_random_seed(7)
    model = functional_peer.build(layers, models, rate=0.3)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x, y = functional_peer.data()
    model.fit(x, y, epochs=steps, batch_size=8, verbose=0)
    return model


def test_chance_has_the_same_bits_recorded_or_not_and_on_any_number_of_threads(monkeypatch):
    expected = [w.tobytes() for w in trained().get_weights()]
    before = nc.backends.get("cpu").get_num_threads()
    try:
        nc.set_num_threads(1)
        assert [w.tobytes() for w in trained().get_weights()] == expected
    finally:
        nc.set_num_threads(before)
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
    assert [w.tobytes() for w in trained().get_weights()] == expected


def test_chance_goes_on_after_a_reload(tmp_path):
    model = trained(2)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    x, y = functional_peer.data()
    nc.set_random_seed(9)
    history = model.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"]
    nc.set_random_seed(9)
    assert again.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"] == history


def test_dropout_draws_anew_in_each_step_of_a_recorded_model():
    """In front of all weights, and below frozen ones: it acts, and differs from step to step."""
    model = models.Sequential(
        [layers.Input((40,)), layers.Dropout(0.5, seed=1), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.0
    x, y = np.ones((6, 40), np.float32), np.arange(6) % 3
    losses = [
        model.fit(x, y, epochs=1, verbose=0, shuffle=False).history["loss"][0] for _ in range(5)
    ]
    assert len(set(losses)) == 5
    assert len({model.evaluate(x, y, verbose=0) for _ in range(3)}) == 1
    model.layers[1].trainable = False
    losses = [
        model.fit(x, y, epochs=1, verbose=0, shuffle=False).history["loss"][0] for _ in range(3)
    ]
    assert len(set(losses)) == 3


def test_feature_maps_of_a_model():
    model = functional_peer.build(layers, models)
    x, _ = functional_peer.data()
    features = models.Model(model.input, model.get_layer("concatenate").output)
    assert features.predict(x, verbose=0).shape == (8, 8, 7, 16)
    assert features.get_layer("conv2d") is model.get_layer("conv2d")


def test_tensors_add_and_multiply():
    a = layers.Input((4, 4, 2))
    b = layers.Conv2D(2, 1)(a)
    model = models.Model(a, (a + b) * b)
    x = np.random.default_rng(0).standard_normal((3, 4, 4, 2)).astype(np.float32)
    y = model.layers[1](x)
    np.testing.assert_allclose(model(x), (x + y) * y, rtol=1e-5)


def in_itself():
    inside, outside = models.Sequential(name="inside"), models.Sequential(name="outside")
    outside.add(inside)
    inside.add(outside)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda a, b: models.Model(a, layers.Flatten()(b)),
            ValueError,
            "come from another input too",
        ),
        (lambda a, b: models.Model([a, b], a), ValueError, "no output comes from this input"),
        (
            lambda a, b: models.Model([], a),
            TypeError,
            r"inputs must be what Input.* Received: \[\]",
        ),
        (
            lambda a, b: models.Sequential([models.Model(a, [a, a]), layers.Flatten()]),
            ValueError,
            "of a Sequential gives one output.* Received: functional.*, which gives 2",
        ),
        (
            lambda a, b: models.Sequential([models.Model([a, b], a + b)]).build((None, 4, 4, 2)),
            ValueError,
            r"built for inputs of shape \[.*Received: input_shape \(None, 4, 4, 2\)",
        ),
        (
            lambda a, b: models.Model(a, layers.Flatten()(a))(layers.Input((4, 4, 3))),
            ValueError,
            r"built for inputs of shape \(None, 4, 4, 2\)",
        ),
        (lambda a, b: in_itself(), ValueError, "a model cannot be a layer of itself"),
        (
            lambda a, b: models.Model(layers.Flatten()(a), a),
            ValueError,
            "come from another input too",
        ),
        (lambda a, b: models.Model(a, 3), TypeError, "outputs must be what Input.* Received: 3"),
        (lambda a, b: layers.Add()(a), ValueError, "a list of two inputs or more"),
        (
            lambda a, b: layers.Add()([a, layers.Flatten()(b)]),
            ValueError,
            "as many axes as one another",
        ),
        (lambda a, b: layers.Add()([a, layers.Conv2D(3, 1)(b)]), ValueError, "do not fit together"),
        (
            lambda a, b: layers.Concatenate(1)([a, layers.Conv2D(3, 1)(b)]),
            ValueError,
            "all axes but axis 1",
        ),
        (lambda a, b: layers.Flatten()([a, b]), ValueError, "takes 1 input. Received: 2 tensors"),
        (lambda a, b: layers.Flatten().output, AttributeError, "was not called on an Input"),
        (
            lambda a, b: models.Model(a, layers.Flatten()(a)).add(layers.Dense(2)),
            TypeError,
            "call layers on its out",
        ),
    ],
)
def test_wrong_graphs(make, error, message):
    with pytest.raises(error, match=message):
        make(layers.Input((4, 4, 2)), layers.Input((4, 4, 2)))
