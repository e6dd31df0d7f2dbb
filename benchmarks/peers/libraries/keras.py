"""Keras 3 on the backend that the peer's name ends in."""

import os
from importlib import metadata

import numpy as np

from benchmarks.peers.catalogue import Model

BACKENDS = {"jax": "jax", "tensorflow": "tensorflow-cpu"}  # names of their packages


def build(name, weights, threads):
    os.environ["KERAS_BACKEND"] = backend = name.removeprefix("keras_")
    import keras
    from keras import layers, models

    model = models.Sequential(
        [
            layers.Input((64, 64, 3)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.set_weights(weights)
    model.compile("adam", "sparse_categorical_crossentropy")

    def predict(x):
        return np.asarray(model.predict_on_batch(x))

    def train(x, labels):
        return float(np.ravel(model.train_on_batch(x, labels))[0])

    version = f"{keras.__version__} on {backend} {metadata.version(BACKENDS[backend])}"
    return Model(version, lambda x: x, predict, train)
