"""Scripts for Keras 1 and 2: their words work, with a warning that says today's."""

import numpy as np
import pytest

import numba_cnn as keras
from numba_cnn import backend, callbacks, layers, models, optimizers, utils

RNG = np.random.default_rng(0)
X, Y = RNG.random((32, 8, 8, 1), dtype=np.float32), RNG.integers(0, 3, 32)


def old(today):
    return pytest.warns(DeprecationWarning, match=today)


def compiled(*metrics):
    keras.set_random_seed(0)
    model = models.Sequential(
        [layers.Flatten(input_shape=(8, 8, 1)), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def batches():
    while True:
        for k in range(0, 32, 8):
            yield X[k : k + 8], Y[k : k + 8]


LAYERS = [
    (lambda: layers.Convolution2D(4, 3, 3, border_mode="same"), layers.Conv2D(4, (3, 3), padding="same")),
    (lambda: layers.Convolution2D(4, 5, 3), layers.Conv2D(4, (5, 3))),
    (lambda: layers.Conv2D(4, 3, 5, border_mode="valid"), layers.Conv2D(4, (3, 5))),
    (lambda: layers.Convolution2D(4, (3, 5), subsample=(2, 2)), layers.Conv2D(4, (3, 5), strides=(2, 2))),
    (lambda: layers.Conv2D(nb_filter=4, nb_row=3, nb_col=5), layers.Conv2D(4, (3, 5))),
    (lambda: layers.Conv2D(4, 3, init="he_normal", bias=False), layers.Conv2D(4, 3, kernel_initializer="he_normal",
                                                                             use_bias=False)),
    (lambda: layers.Dense(output_dim=4), layers.Dense(4)),
    (lambda: layers.Dropout(p=0.5), layers.Dropout(0.5)),
    (lambda: layers.MaxPooling2D((2, 2), border_mode="same"), layers.MaxPooling2D((2, 2), padding="same")),
    (lambda: layers.Flatten(dim_ordering="tf"), layers.Flatten()),
]  # fmt: skip


@pytest.mark.parametrize(("make", "today"), LAYERS)
def test_layers(make, today):
    with old(" today"):
        layer = make()
    config, expected = layer.get_config(), today.get_config()
    assert {**config, "name": ""} == {**expected, "name": ""}


def test_shapes_of_the_first_layer():
    with old("batch_input_shape= is input_shape="):
        layer = layers.Dense(4, batch_input_shape=(None, 7))
    assert layer.first_shape == (7,)
    with old("input_dim= is input_shape="):
        assert layers.Dense(4, input_dim=7).first_shape == (7,)


def test_optimizers():
    with old("lr= is learning_rate= today"):
        assert optimizers.Adam(lr=0.1).learning_rate == 0.1
    with old("optimizers.rmsprop is optimizers.RMSprop today"):
        assert optimizers.rmsprop is optimizers.RMSprop
    with old("epsilon= is needed no more today"):
        assert optimizers.Adam(epsilon=None).epsilon == 1e-7


def test_the_rate_as_a_variable():
    optimizer = optimizers.SGD(0.5)
    with old("lr is learning_rate today"):
        assert optimizer.lr == 0.5
    with old("lr is learning_rate today"):
        optimizer.lr = 0.25
    with old(r"backend.get_value\(x\) is x.numpy\(\) today"):
        assert backend.get_value(optimizer.learning_rate) == np.float32(0.25)
    with old(r"backend.set_value\(x\) is x.assign\(value\) today"):
        backend.set_value(optimizer.learning_rate, 2)
    assert optimizer.learning_rate == 2


@pytest.mark.parametrize(
    ("make", "rate"),
    [
        (lambda: optimizers.SGD(0.1, 0.9, decay=0.5), 0.1),
        (lambda: optimizers.Adam(decay=0.5), 0.001),
        (lambda: optimizers.SGD(decay=0.5), 0.01),
    ],
)
def test_the_rate_that_decays(make, rate):
    with old("decay= is optimizers.schedules.InverseTimeDecay"):
        optimizer = make()
    config = optimizer.get_config()["learning_rate"]["config"]
    assert (config["initial_learning_rate"], config["decay_rate"]) == (rate, 0.5)


def test_decay_divides_the_rate_as_keras_2_did():
    with old("decay= is optimizers.schedules.InverseTimeDecay"), old("lr= is learning_rate="):
        optimizer = optimizers.SGD(lr=0.5, decay=0.25)
    assert isinstance(optimizer.learning_rate, optimizers.schedules.InverseTimeDecay) or (
        optimizer.learning_rate == 0.5
    )
    model = compiled()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    plain = compiled()
    plain.compile(optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    for step in range(3):
        plain.optimizer.learning_rate = 0.5 / (1 + 0.25 * step)
        for one in (model, plain):
            one.train_step(X, Y)
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("kind", ["scheduler", "plateau"])
def test_callbacks_set_the_rate_that_decay_divides(kind, tmp_path):
    with old("decay= is optimizers.schedules.InverseTimeDecay"):
        model, plain = compiled(), compiled()
        model.compile(optimizers.SGD(0.5, decay=0.25), "sparse_categorical_crossentropy")
    if kind == "scheduler":
        rates = [0.4, 0.2]
        callback = callbacks.LearningRateScheduler(lambda epoch, rate: rate * (0.8, 0.5)[epoch])
    else:
        rates = [0.5, 0.5]  # the first epoch is the best so far, the second is not: half after it
        callback = callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=1e9)
    history = model.fit(X, Y, 8, epochs=2, shuffle=False, verbose=0, callbacks=[callback]).history
    assert history["learning_rate"] == rates
    assert model.optimizer.learning_rate == (0.2 if kind == "scheduler" else 0.25)
    for step in range(8):
        plain.optimizer.learning_rate = rates[step // 4] / (1 + 0.25 * step)
        at = slice(8 * (step % 4), 8 * (step % 4) + 8)
        plain.train_step(X[at], Y[at])
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    model.save(tmp_path / "m.keras")
    assert models.load_model(tmp_path / "m.keras").optimizer.takes_rate


def test_generators():
    with old("fit_generator is fit today"):
        history = (
            compiled().fit_generator(batches(), 4, 2, validation_data=(X, Y), verbose=0).history
        )
    assert history == compiled().fit(
        batches(), steps_per_epoch=4, epochs=2, validation_data=(X, Y), verbose=0
    ).history  # fmt: skip
    model = compiled()
    with old("evaluate_generator is evaluate"):
        assert model.evaluate_generator(batches(), 4, verbose=0) == model.evaluate(
            batches(), steps=4, verbose=0
        )
    with old("predict_generator is predict"):
        assert model.predict_generator(batches(), steps=4, verbose=0).shape == (32, 3)
    with old("steps=2.5 is steps=3"), old("validation_steps=0.5 is validation_steps=1"):
        history = compiled().fit(
            batches(),
            steps_per_epoch=2.5,
            verbose=0,
            validation_data=batches(),
            validation_steps=0.5,
        )
    assert history.params["steps"] == 3
    with old("workers= is needed no more"):
        model.fit(X, Y, verbose=0, workers=4)
    with old("nb_epoch= is epochs= today"):
        assert len(model.fit(X, Y, nb_epoch=2, verbose=0).history["loss"]) == 2


def test_files_and_descriptions(tmp_path):
    model = compiled()
    with old("save: save_format= is needed no more"):
        model.save(tmp_path / "m.h5", save_format="h5")
    with old("save_weights: save_format= is needed no more"):
        model.save_weights(tmp_path / "w.h5", save_format="h5")
    with old("to_yaml is to_json today"):
        text = model.to_yaml()
    with old("models.model_from_yaml is models.model_from_json today"):
        again = models.model_from_yaml(text)
    again.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_one_batch():
    with old("train_on_batch: reset_metrics= is needed no more"):
        assert len(compiled().train_on_batch(X, Y, reset_metrics=False)) == 2


def test_several_gpus():
    model = compiled()
    with old("multi_gpu_model"):
        assert utils.multi_gpu_model(model, gpus=2) is model


def test_classes():
    model = compiled()
    with old("predict_classes is predict today"):
        np.testing.assert_array_equal(
            model.predict_classes(X, verbose=0), model.predict(X, verbose=0).argmax(-1)
        )
    with old("predict_proba is predict"):
        model.predict_proba(X, verbose=0)


def test_what_is_logged():
    history = compiled().fit(X, Y, verbose=0, validation_data=(X, Y)).history
    with old("'acc' is 'accuracy' today"):
        assert history["acc"] == history["accuracy"]
    with old("'val_acc' is 'val_accuracy' today"):
        assert history["val_acc"] == history["val_accuracy"]
    with pytest.raises(KeyError, match="did you mean 'loss'"):
        history["los"]
    assert "acc" not in history


class Stopping(callbacks.Callback):
    """As courses have it."""

    def on_epoch_end(self, epoch, logs={}):  # noqa: B006
        self.seen = logs.get("acc"), logs["val_acc"], logs.get("lr"), logs.get("nothing", 3)
        if logs.get("acc") > -1:
            self.model.stop_training = True


def test_logs_of_callbacks():
    callback = Stopping()
    rates = callbacks.LearningRateScheduler(lambda epoch: 0.5)
    with old("'acc' is 'acc"), old("'val_acc' is 'val_acc"), old("'lr' is 'learning_rate' today"):
        logged = (
            compiled()
            .fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), callbacks=[rates, callback])
            .history
        )
    values = logged["accuracy"][0], logged["val_accuracy"][0], 0.5, 3
    assert (len(logged["loss"]), callback.seen) == (1, values)
    with old("'lr' is 'learning_rate' today"):
        assert logged["lr"] == [0.5]


@pytest.mark.parametrize("word", ["metrics", "weighted_metrics"])
def test_one_metric(word):
    model = compiled()
    with old(rf"{word}='acc' is {word}=\['acc'\] today"):
        model.compile("sgd", "sparse_categorical_crossentropy", **{word: "acc"})
    assert "acc" in model.fit(X, Y, verbose=0).history


def test_one_list_of_metrics_for_all_outputs():
    start = keras.Input((8, 8, 1))
    flat = layers.Flatten()(start)
    model = models.Model(start, [layers.Dense(3, name="a")(flat), layers.Dense(3, name="b")(flat)])
    with old(r"metrics=\['acc'\] of 2 outputs is metrics=\[\['acc'\], \['acc'\]\] today"):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    history = model.fit(X, [Y, Y], verbose=0).history
    assert sorted(history) == ["a_acc", "a_loss", "b_acc", "b_loss", "loss"]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc", None])  # Keras 3's
    assert sorted(model.fit(X, [Y, Y], verbose=0).history) == ["a_acc", "a_loss", "b_loss", "loss"]


def test_arguments_of_tensorboard_that_are_gone(tmp_path):
    pytest.importorskip("tensorboard")
    with old("TensorBoard: batch_size= is needed no more"), old("write_grads= is needed no more"):
        callback = callbacks.TensorBoard(
            tmp_path, batch_size=32, write_graph=True, write_grads=False
        )
    compiled().fit(X, Y, verbose=0, callbacks=[callback])
    assert list((tmp_path / "train").iterdir())


def test_callbacks(tmp_path):
    checkpoint = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{val_acc:.2f}.keras", monitor="val_acc", save_best_only=True
    )
    with old("'val_acc' is 'val_accuracy' today"):
        compiled().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[checkpoint])
    assert len(list(tmp_path.iterdir())) == 1
    with old("period= is save_freq= today"):
        checkpoint = callbacks.ModelCheckpoint(tmp_path / "p{epoch}.keras", period=2)
    compiled().fit(X, Y, epochs=5, verbose=0, callbacks=[checkpoint])
    assert sorted(path.name for path in tmp_path.glob("p*")) == ["p2.keras", "p4.keras"]
    with old("epsilon= is min_delta="):
        assert callbacks.ReduceLROnPlateau(epsilon=0.1).min_delta == 0.1


def test_modules_and_functions(tmp_path):
    with old("layers.experimental is layers"), old("layers.preprocessing is layers today"):
        assert layers.experimental.preprocessing.Rescaling is layers.Rescaling
    with old("optimizers.legacy is optimizers today"):
        assert optimizers.legacy.Adam is optimizers.Adam
    with old("utils.np_utils is utils today"):
        assert utils.np_utils is utils
    with old("nb_classes= is num_classes="):
        assert utils.to_categorical([0, 1], nb_classes=3).shape == (2, 3)
    with old("backend.image_dim_ordering is backend.image_data_format"):
        assert backend.image_dim_ordering() == "channels_last"
    with old("models.Input is layers.Input today"):
        assert models.Input is layers.Input
    utils.save_img(tmp_path / "a.png", np.full((2, 3, 3), 9.0), scale=False)
    with old("load_img: grayscale= is color_mode= today"):
        assert utils.load_img(tmp_path / "a.png", grayscale=True).mode == "L"
        assert utils.load_img(tmp_path / "a.png", grayscale=False).mode == "RGB"
    start = keras.Input((3,))
    with old("input= is inputs="), old("output= is outputs="):
        models.Model(input=start, output=layers.Dense(2)(start))


def test_words_of_backend():
    assert (backend.backend(), backend.floatx(), backend.epsilon()) == (
        "numba_cnn",
        "float32",
        1e-7,
    )
    backend.set_floatx("float32")
    backend.set_image_data_format("channels_last")
    assert backend.int_shape(keras.Input((4, 5))) == (None, 4, 5)
    with pytest.raises(ValueError, match=r"must be \"channels_last\".* Received: 'channels_first'"):
        backend.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match='must be "float32"'):
        backend.set_floatx("float16")


def test_unknown_words_are_errors_still():
    with pytest.raises(TypeError, match="there is no argument 'bordermode'"):
        layers.Conv2D(4, 3, bordermode="same")
    with pytest.raises(TypeError, match="there is no argument 'subsample'"):
        layers.Dense(4, subsample=2)
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'fit_generatr'"):
        _ = compiled().fit_generatr
    with pytest.raises(AttributeError, match="the model knows no shape of its inputs"):
        _ = models.Sequential([layers.Dense(3)]).input
