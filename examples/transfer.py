"""Features that were learned on one task, used for another with few samples."""

import numpy as np

from numba_cnn import Model, Sequential, datasets, layers, models, set_random_seed


def main(epochs=6):
    set_random_seed(0)
    (x, y), (x_test, y_test) = datasets.digits(32)
    first, test = y < 6, y_test >= 6
    model = models.tutorial_cnn((32, 32, 3), 6)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[first], y[first], epochs=int(epochs), verbose=0)  # 0 to 5

    features = Model(model.inputs, model.layers[-3].output)  # up to Flatten
    features.trainable = False
    few = np.concatenate(
        [np.flatnonzero(y == digit)[:3] for digit in range(6, 10)]
    )  # three of each
    found = {}
    for name, base in (("what 0 to 5 taught", features), ("nothing", models.clone_model(features))):
        learner = Sequential([base, layers.Dense(4, activation="softmax")])
        learner.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        learner.fit(x[few], y[few] - 6, epochs=40, batch_size=8, verbose=0)
        found[name] = learner.evaluate(x_test[test], y_test[test] - 6, verbose=0)[1]
    for name, accuracy in found.items():
        print(f"accuracy on 6 to 9 with features of {name}: {accuracy:.2f}")


if __name__ == "__main__":
    main()
