"""A small model, the samples it is fed with, and what a training leaves, for tests of what fit takes."""

import numpy as np

from numba_cnn import layers, models, set_random_seed

_RNG = np.random.default_rng(0)
X, Y = _RNG.random((40, 4, 4, 1), dtype=np.float32), _RNG.integers(0, 3, 40)
W = _RNG.uniform(0.5, 2, 40).astype(np.float32)
EXPECTED = {"batch_size": 8, "epochs": 3, "shuffle": False}


def model(*metrics):
    set_random_seed(3)
    made = models.Sequential(
        [layers.Flatten(input_shape=(4, 4, 1)), layers.Dense(3, activation="softmax")]
    )
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", *metrics])
    return made


def trained(x, y=None, **settings):
    made = model()
    history = made.fit(x, y, verbose=0, **settings).history
    return history, made.get_weights()


def assert_same(one, other):
    assert one[0] == other[0]
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(a, b)
