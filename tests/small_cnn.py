"""A small model and its data, the same here and in Keras; every extent differs from the others."""

import numpy as np

INPUT_SHAPE = (11, 9, 2)
CLASSES = 4
N = 23  # with batches of 8, the last one holds 7


def build(layers, models):
    """The model from the modules of either library."""
    return models.Sequential(
        [
            layers.Input(shape=INPUT_SHAPE),
            layers.Conv2D(5, (3, 2), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(7, 3, strides=(1, 2)),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(6, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def weights():
    """Initial weights in the order of get_weights()."""
    generator = np.random.default_rng(7)
    shapes = [(3, 2, 2, 5), (5,), (3, 3, 5, 7), (7,), (21, 6), (6,), (6, CLASSES), (CLASSES,)]
    return [generator.normal(0, 0.3, shape).astype(np.float32) for shape in shapes]


def data():
    """x (23, 11, 9, 2) and y (23,)."""
    generator = np.random.default_rng(8)
    x = generator.normal(0, 1, (N, *INPUT_SHAPE)).astype(np.float32)
    return x, generator.integers(0, CLASSES, N)


# Ways to train, by name: an optimizer's class, its arguments, and those of fit().
TRAININGS = {
    "adam": ("Adam", {"learning_rate": 0.01}, {}),
    "sgd": ("SGD", {"learning_rate": 0.05}, {"class_weight": {0: 0.5, 2: 3.0}}),
    "momentum": (
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.9},
        {"sample_weight": np.linspace(0.1, 2.0, N, dtype=np.float32)},
    ),
    "nesterov": (
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True},
        {"validation_split": 0.3},
    ),
    "rmsprop": ("RMSprop", {"learning_rate": 0.005, "rho": 0.8}, {}),
}


def tutorial(layers, models):
    """The tutorial's model, as its script writes it."""
    model = models.Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(64, 64, 3)))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def unbuilt(layers, models):
    return models.Sequential(
        [
            layers.Conv2D(4, 3),
            layers.MaxPooling2D(),
            layers.ReLU(),
            layers.Activation("relu"),
            layers.Softmax(),
            layers.Flatten(),
            layers.Dense(3),
        ],
        name="[odd] name",
    )


def frozen(layers, models):
    """One layer is not trainable, and one name is too long for its column."""
    model = models.Sequential(
        [
            layers.Input(shape=(8, 9, 2)),
            layers.Conv2D(4, 3, name="a" * 60),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[0].trainable = False
    return model


# Summaries by name: the model, and the arguments of summary().
SUMMARIES = {
    "tutorial": (tutorial, {}),
    "unbuilt": (unbuilt, {}),
    "empty": (lambda layers, models: models.Sequential(), {}),
    "frozen": (frozen, {"show_trainable": True}),
    "short": (frozen, {"line_length": 60}),
    "positions": (frozen, {"positions": [0.3, 0.6, 1.0]}),
    "range": (tutorial, {"layer_range": ["max_pool.*", "conv2d_2"]}),
}


def compiled(**arguments):
    """This library's, with the stored weights, compiled with Adam."""
    from numba_cnn import layers, models

    model = build(layers, models)
    model.set_weights(weights())
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu", **arguments
    )
    return model


def fit(model, x=None, y=None, **arguments):
    """The history of fitting it, in order and in batches of 8 unless told otherwise."""
    images, labels = data()
    x, y = images if x is None else x, labels if y is None else y
    return model.fit(x, y, **{"batch_size": 8, "shuffle": False, "verbose": 0} | arguments).history
