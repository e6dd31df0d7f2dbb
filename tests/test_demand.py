"""The words that public Keras scripts use, by the tables of data/demand.md: each is served, or there is a reason."""

import re
import warnings
from ast import literal_eval
from functools import partial
from pathlib import Path

import demand_of_models
import numpy as np
import pytest

from numba_cnn import activations, layers, losses, metrics, models, optimizers

RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, 8, 8, 3), dtype=np.float32)
ROWS = RNG.random((4, 6), dtype=np.float32)
MERGING = {"Add", "Concatenate", "Multiply"}

OWN = "own functions of tensors are later work"
TABLES_AND_TEXT = "for tables and text, not for images"
REASONS = {
    ("Layers", "Lambda"): OWN,
    ("Layers", "Bidirectional"): "recurrent layers are no layers of images",
    ("Layers", "LSTM"): "recurrent layers are no layers of images",
    ("Layers", "CategoryEncoding"): TABLES_AND_TEXT,
    ("Layers", "StringLookup"): TABLES_AND_TEXT,
    ("Losses", "own function"): OWN,
    ("Metrics", "own function"): OWN,
    (
        "Arguments of layers",
        "channels_first",
    ): "kernels take channels last; the error says how to turn images",
    ("Arguments of layers, one by one", "Lambda(function=)"): OWN,
    ("Arguments of layers, one by one", "Lambda(input_shape=)"): OWN,
    ("Methods", "add_loss"): OWN,
    ("Methods", "export"): "SavedModel and tf.lite are formats of TensorFlow's own programs",
    ("backend", "tensor functions"): OWN,
    ("Own classes", "Optimizer class"): "updates are kernels; those there are take own rates",
    ("Own classes", "training loop with GradientTape"): "TensorFlow's own, on its tensors",
    ("Data sources", "tensorflow_datasets"): "a package of its own, which needs TensorFlow",
}
OF_DATA = {
    "Data",
    "Data sources",
    "Arguments of ImageDataGenerator and image_dataset_from_directory",
}

REQUIRED = {
    "Activation": {"activation": "relu"},
    "CenterCrop": {"height": 4, "width": 4},
    "Conv2D": {"filters": 2, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "Convolution2D": {"filters": 2, "kernel_size": 3},
    "Dense": {"units": 2},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Dropout": {"rate": 0.5},
    "RandomContrast": {"factor": 0.1},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (-1,)},
    "Resizing": {"height": 4, "width": 4},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
}
VALUES = {
    "activation": "relu",
    "axis": -1,
    "border_mode": "same",
    "data_format": "channels_last",
    "dilation_rate": 2,
    "dtype": "float32",
    "epsilon": 1e-5,
    "factor": 0.1,
    "filters": 3,
    "height": 4,
    "height_factor": 0.1,
    "input_shape": IMAGES.shape[1:],
    "kernel_constraint": "max_norm",
    "kernel_initializer": "he_normal",
    "kernel_regularizer": "l2",
    "kernel_size": (3, 3),
    "mode": "horizontal",
    "momentum": 0.9,
    "name": "mine",
    "padding": "same",
    "pool_size": (2, 2),
    "rate": 0.25,
    "scale": 1 / 255,
    "seed": 1,
    "shape": IMAGES.shape[1:],
    "size": (2, 2),
    "strides": (2, 2),
    "target_shape": (64, 3),
    "units": 3,
    "use_bias": False,
    "width": 4,
}
OF_OPTIMIZERS = {
    "amsgrad": True,
    "beta_1": 0.9,
    "beta_2": 0.99,
    "decay": 1e-6,
    "epsilon": 1e-8,
    "learning_rate": 0.01,
    "lr": 0.01,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 1e-4,
}
CLASSES = {"auc": "AUC", "io_u": "IoU", "mean_io_u": "MeanIoU"}


def run(name, /, **settings):
    """Make a layer, and give it a batch in training and in inference."""
    made = getattr(layers, name)(**{**REQUIRED.get(name, {}), **settings})
    if name in ("Input", "InputLayer"):
        y = made if name == "Input" else made.output
        models.Model(y, layers.Flatten()(y)).predict(IMAGES, verbose=0)
        return
    rows = settings.get("axis") == 1
    x = ROWS if rows else IMAGES
    for training in (True, False):
        y = made([x, x] if name in MERGING else x, training=training)
        assert np.isfinite(y).all()
        assert len(y) == len(x)


def fit(
    loss="sparse_categorical_crossentropy",
    optimizer="sgd",
    metric="accuracy",
    targets=None,
    **settings,
):
    """Train a small model for one batch."""
    units = 3 if "categorical" in str(loss) else 1
    targets = RNG.integers(0, units, len(ROWS)) if targets is None else targets
    if loss == "categorical_crossentropy":
        targets = np.eye(units)[targets]
    model = models.Sequential(
        [layers.Dense(units, activation="softmax" if units > 1 else "sigmoid", **settings)]
    )
    model.compile(optimizer, loss, metrics=[metric])
    history = model.fit(ROWS, targets, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())


def of_metric(word):
    cls = CLASSES.get(word, "".join(part.capitalize() for part in word.split("_")))
    cls = cls.replace("TopKcategorical", "TopKCategorical")
    settings = {"num_classes": 2} if word in ("io_u", "mean_io_u") else {}
    settings |= {"target_class_ids": [1]} if word == "io_u" else {}
    if word == "accuracy":
        fit(metric=word)
    elif "categorical" in word:
        loss = "sparse_categorical_crossentropy" if "sparse" in word else "categorical_crossentropy"
        fit(loss, metric=getattr(metrics, cls)())
    else:
        fit("binary_crossentropy", metric=getattr(metrics, cls)(**settings))


def of_every_pixel():
    model = models.Sequential([layers.Conv2D(3, 3, padding="same", activation="softmax")])
    for loss, targets in (
        ("sparse_categorical_crossentropy", RNG.integers(0, 3, (4, 8, 8))),
        ("categorical_crossentropy", np.eye(3)[RNG.integers(0, 3, (4, 8, 8))]),
    ):
        model.compile("sgd", loss)
        model.fit(IMAGES, targets, verbose=0)


def of_tensorflow():
    """A function that is called and lies as TensorFlow's does."""

    def relu(features, name=None):
        raise NotImplementedError

    relu.__module__ = "tensorflow.python.ops.gen_nn_ops"
    np.testing.assert_array_equal(layers.Dense(2, activation=relu)(ROWS) >= 0, True)


def with_unknown_extents():
    model = models.Sequential(
        [layers.Input((None, None, 3)), layers.Conv2D(2, 3), layers.GlobalMaxPooling2D()]
    )
    for x in (IMAGES, IMAGES[:, :5]):
        assert model.predict(x, verbose=0).shape == (4, 2)


SPECIAL = {
    "Dense on images": partial(run, "Dense"),
    "tf.nn.relu etc. as function": of_tensorflow,
    "crossentropy of classes at every pixel": of_every_pixel,
    "decay= (Keras 3 ignores it)": lambda: fit(optimizer=optimizers.SGD(0.1, decay=1e-6)),
    "amsgrad": lambda: fit(optimizer=optimizers.Adam(amsgrad=True)),
    "weight_decay": lambda: fit(optimizer=optimizers.Adam(weight_decay=0.01)),
    "clipnorm": lambda: fit(optimizer=optimizers.Adam(clipnorm=1.0)),
    "learning rate schedule": lambda: fit(
        optimizer=optimizers.Adam(optimizers.schedules.CosineDecay(0.1, 9))
    ),
    "regularizers": lambda: fit(
        kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2"
    ),
    "constraints": lambda: fit(kernel_constraint="max_norm", bias_constraint="non_neg"),
    "None in an input shape": with_unknown_extents,
    "Input(dtype=)": partial(run, "Input", shape=(8, 8, 3), dtype="float32"),
    "input_dim": lambda: layers.Dense(2, input_dim=6)(ROWS),
    "Conv2D(keras1_rows_columns=)": lambda: layers.Conv2D(2, 3, 3, border_mode="same")(IMAGES),
    "Convolution2D(keras1_rows_columns=)": lambda: layers.Convolution2D(2, 3, 3)(IMAGES),
}


def of_argument(word):
    """The call that "Class(argument=value)" is; where no value stands, one that fits."""
    name, argument, value = re.fullmatch(r"(\w+)\((\w+)=(.*)\)", word).groups()
    if hasattr(optimizers, name):
        fit(optimizer=getattr(optimizers, name)(**{argument: OF_OPTIMIZERS[argument]}))
        return
    given = literal_eval(value.replace('"?"', "2")) if value else VALUES[argument]
    shape = (
        {"shape": IMAGES.shape[1:]}
        if name in ("Input", "InputLayer") and "shape" not in argument
        else {}
    )
    run(name, **shape, **{argument: given})


def of_activation(word):
    for y in (
        layers.Activation(word)(IMAGES),
        getattr(activations, word)(ROWS),
        layers.Dense(2, activation=word)(ROWS),
    ):
        assert np.isfinite(y).all()


def of_loss(word):
    fit(word)
    fit(
        getattr(losses, word),
        targets=np.eye(3)[[0, 1, 2, 0]] if word == "categorical_crossentropy" else None,
    )


def of_optimizer(word):
    fit(optimizer=getattr(optimizers, word)())
    fit(optimizer=word.lower())


CALLS = {
    "Layers": lambda word: run(
        word, **({"shape": (8, 8, 3)} if word in ("Input", "InputLayer") else {})
    ),
    "Activations": of_activation,
    "Losses": of_loss,
    "Metrics": of_metric,
    "Optimizers": of_optimizer,
    "Initializers": lambda word: (
        fit(kernel_initializer=word)
        if word != "identity"
        else run("Dense", kernel_initializer=word)
    ),
}


OF_ARGUMENTS = {
    "Optimizer arguments", "Arguments of layers", "Arguments of layers, one by one", "Values of some arguments",
    "Arguments of optimizers",
}  # fmt: skip


def tables():
    text = (Path(__file__).parent / "data/demand.md").read_text()
    for title, rows in re.findall(r"### (.*)\n\n.*\n.*\n((?:\|.*\n)+)", text):
        for word, count in re.findall(r"\| (.*) \| (\d+) \|", rows):
            yield title, word, int(count)


WORDS = list(tables())
OF_MODELS = {title for title, _, _ in WORDS} - CALLS.keys() - OF_ARGUMENTS


@pytest.mark.parametrize(("title", "word"), [row[:2] for row in WORDS if row[:2] not in REASONS])
def test_a_word_is_served(title, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of spellings of Keras 1 and 2
        warnings.filterwarnings("ignore", ".*: the file is written as", UserWarning)
        if title in OF_MODELS:
            demand_of_models.call(title, word)
        else:
            SPECIAL.get(word, partial(CALLS.get(title, of_argument), word))()


def test_reasons_are_for_words_of_the_tables():
    assert {row[:2] for row in WORDS} >= REASONS.keys()
    served = {word for title, word, _ in WORDS if title == "Layers" and hasattr(layers, word)}
    assert not served & {word for title, word in REASONS if title == "Layers"}


def test_what_share_is_served():
    """Of the pairs (script, word) of all tables, and of those that are not of data."""
    for rows in (WORDS, [row for row in WORDS if row[0] not in OF_DATA]):
        pairs = sum(count for _, _, count in rows)
        served = sum(count for title, word, count in rows if (title, word) not in REASONS)
        assert served / pairs >= 0.85, f"{served} of {pairs}"


def test_the_tables():
    assert len({title for title, _, _ in WORDS}) == 27
    assert ("Layers", "Conv2D", 185) in WORDS
