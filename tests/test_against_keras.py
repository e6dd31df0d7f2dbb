"""The same model, weights and data in Keras and here: the same losses, weights, texts and files."""

import re

import numpy as np
import pytest
import small_cnn

from numba_cnn import callbacks, layers, models, optimizers


def compiled(optimizer="adam"):
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    name, arguments, _ = small_cnn.TRAININGS[optimizer]
    model.compile(
        getattr(optimizers, name)(**arguments),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        backend="cpu",
    )
    return model


def fit(model, **arguments):
    x, y = small_cnn.data()
    return model.fit(x, y, batch_size=8, shuffle=False, verbose=0, **arguments).history


def assert_same_history(ours, theirs):
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", small_cnn.TRAININGS)
def test_losses_and_weights_of_three_epochs(keras_answers, name):
    folder, answers = keras_answers
    model = compiled(name)
    arguments = small_cnn.TRAININGS[name][2]
    assert_same_history(fit(model, epochs=3, **arguments), answers["trainings"][name])
    with np.load(folder / f"{name}.npz") as theirs:
        for ours, their in zip(model.get_weights(), theirs.values(), strict=True):
            np.testing.assert_allclose(ours, their, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", small_cnn.SUMMARIES)
def test_summary(keras_answers, name):
    build, arguments = small_cnn.SUMMARIES[name]
    lines = []
    build(layers, models).summary(print_fn=lines.append, **arguments)
    assert lines == [keras_answers[1]["summaries"][name]]


def test_summary_after_training(keras_answers, capsys):
    model = small_cnn.tutorial(layers, models)
    model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    model.fit(np.zeros((1, 64, 64, 3)), np.zeros(1), verbose=0)
    model.summary()
    assert capsys.readouterr().out == keras_answers[1]["summaries"]["trained"]


def test_callbacks(keras_answers, tmp_path):
    folder, answers = keras_answers
    model = compiled()
    history = fit(
        model,
        epochs=9,
        validation_split=0.3,
        callbacks=[
            callbacks.ReduceLROnPlateau(monitor="val_loss", patience=1, factor=0.5),
            callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True),
            callbacks.CSVLogger(tmp_path / "ours.csv"),
        ],
    )
    assert_same_history(history, answers["callbacks"])
    assert min(history["learning_rate"]) < max(history["learning_rate"])
    ours = (tmp_path / "ours.csv").read_text().splitlines()
    theirs = (folder / "theirs.csv").read_text().splitlines()
    assert ours[0] == theirs[0]
    assert len(ours) == len(theirs)


def test_text_of_verbose_2(keras_answers, capsys):
    x, y = small_cnn.data()
    compiled().fit(x, y, epochs=2, verbose=2, validation_split=0.3)

    def without_numbers(text):
        text = re.sub(r"\d+(us|ms|s)/step", "TIME/step", text)
        return re.sub(r"- \d+s -", "- ELAPSED -", re.sub(r"\d\.\d{4}(e[+-]\d\d)?", "VALUE", text))

    assert without_numbers(capsys.readouterr().out) == without_numbers(
        keras_answers[1]["verbose_2"]
    )


class TestTheirFiles:
    def test_model(self, keras_answers):
        folder, answers = keras_answers
        x, y = small_cnn.data()
        model = models.load_model(folder / "theirs.keras", backend="cpu")
        np.testing.assert_allclose(model.predict(x, verbose=0), answers["predictions"], atol=1e-5)
        np.testing.assert_allclose(model.evaluate(x, y, verbose=0), answers["evaluate"], rtol=1e-5)
        assert model.optimizer.iterations == 6
        assert_same_history(fit(model, epochs=2), answers["goes_on"])

    def test_weights(self, keras_answers):
        folder, answers = keras_answers
        x, _ = small_cnn.data()
        model = compiled()
        model.load_weights(folder / "theirs.weights.h5")
        np.testing.assert_allclose(model.predict(x, verbose=0), answers["predictions"], atol=1e-5)

    def test_weights_with_optimizer_state(self, keras_answers):
        folder, answers = keras_answers
        model = compiled()
        fit(model, epochs=1)
        model.load_weights(folder / "theirs.weights.h5")
        assert_same_history(fit(model, epochs=2), answers["goes_on"])

    def test_legacy_h5(self, keras_answers):
        folder, _ = keras_answers
        x, _ = small_cnn.data()
        legacy = models.load_model(folder / "legacy.h5")
        whole = models.load_model(folder / "theirs.keras")
        np.testing.assert_array_equal(legacy.predict(x, verbose=0), whole.predict(x, verbose=0))


def test_keras_reads_our_files(keras, tmp_path):
    x, y = small_cnn.data()
    model = compiled()
    fit(model, epochs=2)
    model.save(tmp_path / "ours.keras")
    model.save_weights(tmp_path / "ours.weights.h5")
    answers = keras("reads", tmp_path)
    np.testing.assert_allclose(answers["predictions"], model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(answers["evaluate"], model.evaluate(x, y, verbose=0), rtol=1e-5)
    assert answers["iterations"] == 6
    assert answers["names"] == [layer.name for layer in model.layers]
    for theirs, ours in zip(answers["weights"], model.get_weights(), strict=True):
        np.testing.assert_array_equal(np.float32(theirs), ours)
    assert_same_history(fit(model, epochs=2), answers["goes_on"])
