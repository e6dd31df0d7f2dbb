"""A small model that is trained, which many calls behind the words of data/demand.md need."""

import numpy as np

from numba_cnn import layers, models

RNG = np.random.default_rng(0)
X, Y = RNG.random((16, 8, 8, 1), dtype=np.float32), np.arange(16) % 3
LOSS = "sparse_categorical_crossentropy"


def small(*metrics, optimizer="sgd", loss=LOSS):
    model = models.Sequential(
        [layers.Conv2D(2, 3, input_shape=(8, 8, 1), name="a"), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )  # fmt: skip
    model.compile(optimizer, loss, metrics=["accuracy", *metrics])
    return model


def fitted(*given, model=None, **settings):
    """What training logs, all of it finite."""
    history = (model or small()).fit(*(given or (X, Y)), **{"verbose": 0, **settings}).history
    assert all(np.isfinite(values).all() for values in history.values())
    return history
