"""The tutorial's model and a batch for it."""

import numpy as np

from numba_cnn import layers, models, set_random_seed


def model():
    """Compiled, with initial weights of a fixed seed."""
    set_random_seed(1)
    network = models.Sequential(
        [
            layers.Conv2D(32, (3, 3), activation="relu", input_shape=(64, 64, 3)),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def batch(size):
    """(images, labels) of that many samples."""
    rng = np.random.default_rng(0)
    return rng.random((size, 64, 64, 3), dtype=np.float32), rng.integers(0, 10, size)
