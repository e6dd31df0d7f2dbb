"""What folds.py asks Keras, in a process of its own: python -m benchmarks.folds_in_keras CASES.npz EPOCHS"""

import sys

import numpy as np

from .folds import fitted, network


def main(path, epochs):
    import keras

    with np.load(path) as arrays:
        stored = dict(arrays)
    x, y, folds = stored.pop("x"), stored.pop("y"), int(stored.pop("folds"))
    count = 1 + max(int(name.partition("_")[0]) for name in stored)
    for i in range(count):
        keras.utils.set_random_seed(1000 * (i // folds) + i % folds)
        inner = classifier(keras, x.shape[1:], int(y.max()) + 1)
        inner.set_weights([stored[f"{i}_{j}"] for j in range(len(inner.weights))])
        model = network(keras.layers, keras.models, inner)
        test = np.arange(len(y)) % folds == i % folds
        print(fitted(model, x, y, test, int(epochs)), flush=True)
        keras.backend.clear_session()


def classifier(keras, shape, classes):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
