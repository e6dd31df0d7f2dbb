"""Single batches, descriptions as JSON, copies with new weights."""

import numpy as np
import pytest

from numba_cnn import layers, models, set_random_seed

X, Y = np.random.default_rng(0).random((24, 5), dtype=np.float32), np.arange(24) % 3


def compiled():
    set_random_seed(2)
    model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(5,))])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def functional():
    start = layers.Input((5,))
    return models.Model(start, layers.add([layers.Dense(5, name="a")(start), start]))


def test_single_batches_are_those_of_fit():
    model, other = compiled(), compiled()
    for k in (0, 8, 16):
        told = model.train_on_batch(X[k : k + 8], Y[k : k + 8])
    history = other.fit(X, Y, 8, shuffle=False, verbose=0).history
    assert told == [history["loss"][0], history["accuracy"][0]]
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.reset_metrics()
    assert model.test_on_batch(X, Y, return_dict=True) == model.evaluate(
        X, Y, 24, return_dict=True, verbose=0
    )
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X, 24, verbose=0))
    model.reset_metrics()
    weighted = model.train_on_batch(X, Y, class_weight={0: 0.0, 1: 0.0, 2: 0.0})
    assert weighted[0] == 0


def test_a_batch_of_one_kind_is_refused():
    with pytest.raises(ValueError, match="train_on_batch: x and y must have the same length"):
        compiled().train_on_batch(X, Y[:3])
    with pytest.raises(ValueError, match="call compile"):
        functional().train_on_batch(X, X)


@pytest.mark.parametrize("make", [compiled, functional])
def test_descriptions_and_clones(make):
    model = make()
    for other in (models.model_from_json(model.to_json()), models.clone_model(model)):
        assert type(other) is type(model)
        assert other.to_json(indent=1) == model.to_json(indent=1)
        assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
        assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other(X), model(X))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "{}",
        '{"class_name": "Sequential"}',
        '{"class_name": "Lambda", "config": {}}',
        "[" * 10_000,
    ],
)
def test_texts_that_describe_nothing(text):
    with pytest.raises(ValueError, match=r"model_from_json|the text"):
        models.model_from_json(text)


def test_save_model(tmp_path):
    models.save_model(compiled(), tmp_path / "m.keras")
    assert models.load_model(tmp_path / "m.keras").built
    with pytest.raises(TypeError, match=r"model must be a model\. Received: 3"):
        models.save_model(3, tmp_path / "m.keras")
