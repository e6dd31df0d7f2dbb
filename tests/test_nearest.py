"""Words that nobody knows: the nearest one that exists, and Keras's that are not served yet."""

import numpy as np
import pytest
import small_cnn

import numba_cnn
from numba_cnn import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
)
from numba_cnn.keras_words import WORDS
from numba_cnn.nearest import hint, nearest, shown


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("trainble", "trainable"),
        ("lr", "learning_rate"),
        ("learningrate", "learning_rate"),
        ("Trainable", "trainable"),
        ("border_mode", None),
        ("padidng", "padding"),
        ("", None),
    ],
)
def test_nearest(word, meant):
    assert nearest(word, ["learning_rate", "trainable", "padding"]) == meant


def test_letters_that_are_swapped_are_one_slip():
    assert nearest("adma", ["adamax", "adam", "nadam"]) == "adam"
    assert nearest("sdg", ["sgd", "mse"]) == "sgd"
    assert nearest("sgx", ["sgd", "mse"]) is None
    assert nearest("learnin_rate", ["learning_rates", "learning_rate"]) == "learning_rate"


def test_what_exists_comes_before_what_keras_has():
    assert hint("adm", ["adam"], "optimizers") == " (did you mean 'adam'?)"
    assert hint("lamb", ["adam"], "optimizers") == " (Keras's 'Lamb' is not served yet)"
    assert hint("Lamb", ["Lamb"], "optimizers") == " (did you mean 'Lamb'?)"
    assert hint("circle", ["sgd"], "losses") == " (Keras's 'Circle' is not served yet)"
    assert hint(3, ["sgd"], "losses") == hint("xyz", ["sgd"], "losses") == ""


NAMESPACES = [
    numba_cnn, layers, models, optimizers, losses, metrics, callbacks, initializers, activations, ops,
]  # fmt: skip


@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda module: module.__name__)
def test_a_name_that_a_namespace_does_not_have(namespace):
    name = max(namespace.__all__, key=len)
    slip = name[:3] + name[4:]
    with pytest.raises(AttributeError, match=rf"no attribute '{slip}' \(did you mean '{name}'\?\)"):
        getattr(namespace, slip)
    with pytest.raises(AttributeError, match=rf"no attribute 'qqq' \(there is .*{name}"):
        namespace.qqq  # noqa: B018
    assert not hasattr(namespace, "__qqq__")


def test_a_layer_that_keras_has():
    with pytest.raises(AttributeError, match="Keras's 'LSTM' is not served yet"):
        layers.LSTM  # noqa: B018


X, Y = small_cnn.data()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: optimizers.Adam(learn_rate=1),
            r"^Adam: .*'learn_rate' \(did you mean 'learning_rate'\?\)",
        ),
        (
            lambda: layers.Conv2D(3, 3, bordermode="same"),
            "^Conv2D: there is no argument 'bordermode'.* padding, .*Received: bordermode='same'",
        ),
        (lambda: layers.Dense(3, trainble=False), r"^Dense: .*\(did you mean 'trainable'\?\)"),
        (lambda: layers.ReLU(activation="relu"), "^ReLU: there is no argument 'activation'"),
        (lambda: callbacks.EarlyStopping(patiance=3), r"\(did you mean 'patience'\?\)"),
        (lambda: models.Sequential(nam="a"), r"^Sequential: .*\(did you mean 'name'\?\)"),
        (
            lambda: small_cnn.compiled().fit(X, Y, step_per_epoch=3),
            r"^fit: .*\(did you mean 'steps_per_epoch'\?\).*Received: step_per_epoch=3",
        ),
        (lambda: small_cnn.compiled().fit(X, Y, epoch=3), r"^fit: .*\(did you mean 'epochs'\?\)"),
        (lambda: small_cnn.compiled().evaluate(X, batchsize=3), "did you mean 'batch_size'"),
        (lambda: ops.relu(x=X, y=X), "^relu: there is no argument 'y'. Allowed: x. Received: y=an"),
        (lambda: ops.relu(), "^relu: missing a required argument: 'x'. Allowed: x. Received: noth"),
        (lambda: ops.relu(X, 3), "^relu: too many positional arguments.*, 3$"),
        (lambda: layers.Input((3,), sparse=True), "^Input: there is no argument 'sparse'"),
        (lambda: models.load_model("m", options={}), "^load_model: there is no argument"),
    ],
)
def test_arguments_that_nobody_takes(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: optimizers.get("adm"),
            r"^optimizer: there is no 'adm' \(did you mean 'adam'\?\). Allowed: .* Received: 'adm'",
        ),
        (
            lambda: losses.get("mes"),
            r"^loss: there is no 'mes' \(did you mean 'mse'\?\). Allowed: ",
        ),
        (lambda: losses.get("ctc"), "Keras's 'CTC' is not served yet"),
        (lambda: metrics.get("acuracy"), r"\(did you mean 'accuracy'\?\)"),
        (lambda: layers.Dense(2, activation="rellu"), r"\(did you mean 'relu'\?\)"),
        (lambda: layers.Dense(2, activation="glu"), "Keras's 'glu' is not served yet"),
        (lambda: layers.Dense(2, kernel_initializer="he_norml"), r"\(did you mean 'he_normal'\?\)"),
    ],
)
def test_names_of_objects(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_hooks():
    with pytest.raises(TypeError, match=r"\(did you mean 'on_epoch_end'\?\)"):
        callbacks.LambdaCallback(on_epoch_ends=print)


def test_errors_of_the_function_itself_stay_as_they_are():
    def schedule(epoch):
        raise TypeError("of my own")

    with pytest.raises(TypeError, match=r"^of my own$"):
        small_cnn.fit(small_cnn.compiled(), callbacks=[callbacks.LearningRateScheduler(schedule)])


def test_a_layer_called_on_a_layer():
    with pytest.raises(
        TypeError, match=r"or on what Input\(...\) or another layer returned. Received: the layer"
    ):
        layers.Conv2D(3, 3)(layers.Dense(3))


def test_a_layer_builds_for_its_first_batch():
    layer = layers.Dense(3, activation="softmax")
    y = layer(X.reshape(len(X), -1))
    assert y.shape == (len(X), 3)
    assert layer.input_shape == (None, X[0].size)


def test_keras_has_its_words(keras, tmp_path):
    """None of them is misspelt, or gone; and the list names nothing that is served."""
    assert keras("words", tmp_path) == {"missing": []}
    for namespace in NAMESPACES:
        served = set(namespace.__all__) & set(WORDS.get(namespace.__name__.rpartition(".")[2], ()))
        assert not served, f"{namespace.__name__} serves {served}: take them off keras_words.py"


def test_lists_of_arrays_are_shown_by_their_shapes():
    image, label = np.zeros((8, 8, 3)), np.int64(3)
    assert shown((image, label, None)) == (
        "tuple of an array of shape (8, 8, 3), an array of shape (), None"
    )
    assert shown([image] * 5) == f"list of {'an array of shape (8, 8, 3), ' * 4}..."
    assert shown([1, "a"]) == "[1, 'a']"
