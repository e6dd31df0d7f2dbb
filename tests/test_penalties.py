"""Regularizers and constraints beside Keras's own: values, training, files both ways, configuration, signatures."""

import json
import os
import subprocess
import sys

import numpy as np
import optimizers_peer
import penalties_peer as peer
import pytest

from numba_cnn import constraints, layers, models, regularizers
from numba_cnn.backends import cpu

pytestmark = pytest.mark.xdist_group("penalties against keras")  # one process asks Keras, once


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """(arrays, answers, folder): what Keras answers, from one process."""
    folder = tmp_path_factory.mktemp("keras_penalties")
    for name, settings in peer.CASES.items():
        model = peer.build(layers, models, settings)
        model.compile("sgd", "sparse_categorical_crossentropy", backend="cpu")
        model.save(folder / f"ours_{name}.keras")
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run([sys.executable, peer.__file__, folder], check=True, env=os.environ | settings)
    answers = json.loads((folder / "answers.json").read_text())
    return np.load(folder / "answers.npz"), answers, folder


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("name", peer.CASES)
def test_training(name, records, keras, monkeypatch):
    arrays, answers, _ = keras
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=records))
    model = peer.build(layers, models, peer.CASES[name])
    losses = peer.trained(model, backend="cpu")
    np.testing.assert_allclose(losses, answers["losses"][name], rtol=2e-4)
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, arrays[f"{name}/{i}"], rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", peer.CASES)
def test_files_both_ways(name, keras):
    _, answers, folder = keras
    theirs = models.load_model(folder / f"theirs_{name}.keras", backend="cpu")
    np.testing.assert_allclose(
        peer.trained(theirs, compiled=False), answers["losses"][name], rtol=2e-4
    )
    np.testing.assert_allclose(
        answers["losses"][f"ours_{name}"], answers["losses"][name], rtol=2e-4
    )
    words = ("regularizer", "constraint")
    for layer, config in zip(theirs.layers, answers["configs"][name], strict=True):
        ours = {k: v for k, v in layer.get_config().items() if k.endswith(words) and v}
        expected = {k: v for k, v in config.items() if k.endswith(words) and v}
        if isinstance(layer, layers.DepthwiseConv2D) or type(layer) is layers.Conv2DTranspose:
            expected = {k: v for k, v in expected.items() if k in ours}
        assert ours == expected


@pytest.mark.parametrize("name", [*peer.REGULARIZERS, *peer.CONSTRAINTS])
def test_by_itself(name, keras):
    arrays, answers, _ = keras
    module, settings = (
        (regularizers, peer.REGULARIZERS) if name in peer.REGULARIZERS else (constraints, peer.CONSTRAINTS)
    )  # fmt: skip
    made = getattr(module, name)(**settings[name])
    config, expected = made.get_config(), answers["configs"][name]
    assert list(config) == list(expected)
    assert all(np.allclose(config[key], expected[key]) for key in config if key != "mode")
    if settings[name]:
        assert optimizers_peer.defaults(type(made)) == answers["signatures"][name]
    if module is constraints:
        w = peer.matrix()
        np.testing.assert_allclose(made(w), arrays[name], rtol=1e-6)
        made.apply(cpu, w)
        np.testing.assert_allclose(w, arrays[name], rtol=1e-6)
    else:
        assert float(made(peer.matrix())) == pytest.approx(answers["penalties"][name], rel=1e-6)
    described = {"class_name": name, "config": made.get_config()}
    assert module.get(described).get_config() == made.get_config()


@pytest.mark.parametrize("name", peer.REGULARIZERS)
def test_gradients(name):
    """Against finite differences."""
    made, w = getattr(regularizers, name)(**peer.REGULARIZERS[name]), peer.matrix().astype("d")
    gradient, step = np.ones_like(w), 1e-6
    made.add_gradient(cpu, w, 2.0, gradient)
    for place in np.ndindex(w.shape):
        around = []
        for sign in (1, -1):
            moved = w.copy()
            moved[place] += sign * step
            around.append(float(made(moved)))
        slope = (around[0] - around[1]) / (2 * step)
        np.testing.assert_allclose(gradient[place], 1 + 2 * slope, rtol=1e-5, atol=1e-7)


def test_names():
    assert regularizers.get(None) is constraints.get(None) is None
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    assert regularizers.l2(0.3).get_config() == {"l2": 0.3}
    assert constraints.get("max_norm").get_config() == {"max_value": 2, "axis": 0}
    model = peer.build(layers, models, peer.CASES["regularizers"])
    expected = [0.01 * np.square(model.layers[0].get_weights()[0]).sum()]
    assert float(model.losses[0]) == pytest.approx(float(expected[0]), rel=1e-5)
    assert len(model.losses) == 22  # all weights but the moving ones


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Dense(3, kernel_regularizer="l3"),
            "regularizer: there is no 'l3'.* Allowed: 'l1', .*'l3'",
        ),
        (
            lambda: layers.Dense(3, bias_constraint="max"),
            "constraint: there is no 'max'.*Allowed: 'max_norm'",
        ),
        (lambda: regularizers.L2(-1), "L2: l2 must be .* at least 0. Received: -1"),
        (lambda: constraints.MaxNorm(axis=1.5), "MaxNorm: axis must be an integer or a list"),
        (
            lambda: constraints.UnitNorm(axis=5)(np.ones((2, 3), np.float32)),
            r"axis must lie within the weight's axes. Received: axis=5 for a weight of shape \(2, 3\)",
        ),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
