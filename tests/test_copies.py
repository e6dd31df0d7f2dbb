"""Pickles and deep copies: they share nothing with the original, and train on with the same bits."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled, fit

from numba_cnn import callbacks, copies, initializers, layers, losses, metrics, models, optimizers

WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def arrays(model):
    state = [a for slots in model.optimizer._state.values() for a in slots]
    return [parameter.value for parameter in model.weights] + state


@ways
def test_a_model_trains_on_with_the_same_bits(way):
    model = compiled()
    fit(model, epochs=2, validation_split=0.3)
    model.layers[0].trainable = False
    fit(model)
    twin = way(model)
    assert twin.layers[0].trainable is False
    assert twin.optimizer.iterations == model.optimizer.iterations
    assert not any(np.shares_memory(a, b) for a in arrays(twin) for b in arrays(model))
    before = [a.copy() for a in arrays(model)]
    for each in (twin, model):
        each.layers[0].trainable = True  # whose state has been kept
    theirs = fit(twin, epochs=2)
    for array, old in zip(arrays(model), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert theirs == fit(model, epochs=2)
    for ours, their in zip(arrays(model), arrays(twin), strict=True):
        np.testing.assert_array_equal(ours, their)
    assert twin.history.model is twin


@ways
def test_a_model_that_was_never_used(way):
    model = small_cnn.build(layers, models)
    twin = way(model)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@ways
def test_the_parts_of_a_model(way):
    model = compiled()
    history = model.fit(*small_cnn.data(), verbose=0)
    layer = way(model.layers[0])
    np.testing.assert_array_equal(layer.kernel.numpy(), model.layers[0].kernel.numpy())
    assert layer.weights[0] is layer.kernel
    assert way(history).history == history.history
    assert way(model.optimizer).get_config() == model.optimizer.get_config()
    assert way(model.optimizer).iterations == model.optimizer.iterations
    assert way(model.loss).get_config() == model.loss.get_config()
    assert way(model.metrics[0]).result() == model.metrics[0].result()
    assert b"Parameter" not in pickle.dumps(model.optimizer)  # nor a model
    assert len(pickle.dumps(history)) < 1000  # the numbers, without the model


@ways
@pytest.mark.parametrize(
    "made",
    [
        callbacks.EarlyStopping(patience=3),
        callbacks.ModelCheckpoint("m.weights.h5", save_weights_only=True, save_freq=5),
        callbacks.CSVLogger("log.csv"),
        initializers.HeNormal(seed=4),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics.SparseCategoricalAccuracy("acc"),
        optimizers.SGD(0.5, momentum=0.5),
    ],
    ids=lambda made: type(made).__name__,
)
def test_what_is_not_in_use(way, made):
    twin = way(made)
    hidden = ("_state", "_file", "on_train_batch_end")
    assert {k: v for k, v in vars(twin).items() if k not in hidden} == {
        k: v for k, v in vars(made).items() if k not in hidden
    }


def test_a_shallow_copy_of_a_model_lists_its_own_layers():
    model = compiled()
    twin = copy.copy(model)
    twin.pop()
    assert len(model.layers) == len(twin.layers) + 1


def test_another_process_goes_on(tmp_path):
    model = compiled()
    fit(model)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    code = (
        "import pickle, sys, small_cnn; "
        "model = pickle.load(open(sys.argv[1], 'rb')); print(small_cnn.fit(model)['loss'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.pickle"],
        capture_output=True,
        text=True,
        check=True,
        cwd=small_cnn.__file__.rpartition("/")[0],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert float(done.stdout) == fit(model)["loss"][0]


def test_a_backend_that_cannot_run_here(monkeypatch):
    def none(name):
        if name != "cpu":
            raise RuntimeError("no GPU was found")
        return "the CPU"

    monkeypatch.setattr(copies.backends, "get", none)
    with pytest.warns(UserWarning, match="goes on on the CPU: no GPU was found"):
        assert copies.restored("cuda") == "the CPU"
