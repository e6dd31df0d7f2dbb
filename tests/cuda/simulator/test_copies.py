"""Copies of models on the device live there too, on arrays of their own."""

import copy
import pickle

import numpy as np
import pytest

from numba_cnn import layers, models
from numba_cnn.backends import cuda

LOSS = "sparse_categorical_crossentropy"
X = np.random.default_rng(0).random((4, 3), np.float32)
Y = np.arange(4) % 2


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_trains_on_with_the_same_bits(way):
    model = models.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("adam", LOSS, metrics=["accuracy"], backend="cuda")
    settings = {"verbose": 0, "shuffle": False}
    model.fit(X, Y, **settings)
    twin = way(model)
    assert twin.backend is cuda
    state = [array for slots in twin.optimizer.state for array in slots]
    assert all(map(cuda.owns, [parameter.value for parameter in twin.weights] + state))
    before = model.get_weights()
    history = twin.fit(X, Y, **settings).history
    for array, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert model.fit(X, Y, **settings).history == history
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
