"""The calls behind the words of data/demand.md that are of models, files, callbacks and old scripts.

Those of data are in demand_of_data.py.

Each is made in an empty folder of its own.
"""

from functools import partial
from pathlib import Path
from re import fullmatch

import numpy as np
from demand_fitted import LOSS, RNG, X, Y, fitted, small
from demand_of_data import (
    of_datasets,
    of_flow_from_dataframe,
    of_flow_from_directory,
    of_generator,
    of_get_file,
    of_image,
    of_image_dataset,
    of_sequence,
    of_tf_data,
)

import numba_cnn as keras
from numba_cnn import backend, callbacks, layers, models, optimizers, utils
from numba_cnn.preprocessing.image import ImageDataGenerator

ROWS = RNG.random((4, 6), dtype=np.float32)


def same(model, other):
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def batches():
    while True:
        yield X[:4], Y[:4]


def functional(outputs=1):
    start = keras.Input((8, 8, 1))
    flat = layers.Flatten()(layers.Conv2D(2, 3)(start))
    ends = [layers.Dense(3, name=name)(flat) for name in "bc"[:outputs]]
    model = models.Model(start, ends if outputs > 1 else ends[0])
    model.compile("sgd", ["mse"] * outputs if outputs > 1 else "mse")
    return model


def of_functional(outputs=1):
    targets = [np.eye(3)[Y]] * outputs
    fitted(X, targets if outputs > 1 else targets[0], model=functional(outputs))


def of_nested():
    inside = models.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    model = models.Sequential([inside, layers.Dense(3, activation="softmax")])
    model.compile("sgd", LOSS)
    fitted(model=model)


def of_subclass():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.flat = layers.Conv2D(2, 3), layers.Flatten()
            self.end = layers.Dense(3, activation="softmax")

        def call(self, x, training=False):
            return self.end(self.flat(self.conv(x)))

    model = Mine()
    model.compile("sgd", LOSS)
    fitted(model=model)


def of_own_callback():
    class Mine(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    assert len(fitted(callbacks=[Mine()], epochs=3)["loss"]) == 1


OF_CALLBACKS = {
    "ModelCheckpoint": {"filepath": "m{epoch}.keras"},
    "TensorBoard": {"log_dir": "logs"},
    "LearningRateScheduler": {"schedule": lambda epoch: 0.1},
    "CSVLogger": {"filename": "log.csv"},
}
VALUES_OF_CALLBACKS = {
    "append": True, "cooldown": 1, "factor": 0.5, "filepath": "weights-{epoch:02d}-{val_loss:.2f}.h5",
    "histogram_freq": 1, "log_dir": "logs", "min_delta": 0.01, "min_lr": 1e-5, "mode": "auto", "monitor": "val_loss",
    "patience": 1, "period": 2, "restore_best_weights": True, "save_best_only": True, "save_weights_only": True,
    "verbose": 1, "write_graph": True, "write_images": True,
}  # fmt: skip


def of_callback(name, **settings):
    """Train for two epochs with the callback; what it writes is there."""
    if settings.get("save_weights_only"):
        settings["filepath"] = "w{epoch}.weights.h5"
    made = getattr(callbacks, name)(**{**OF_CALLBACKS.get(name, {}), **settings})
    fitted(callbacks=[made], epochs=2, validation_data=(X, Y))
    assert any(Path().iterdir()) == (name in ("ModelCheckpoint", "TensorBoard", "CSVLogger"))


def of_argument_of_a_callback(word):
    name, argument = fullmatch(r"(\w+)\((\w+)=\)", word).groups()
    of_callback(name, **({} if argument == "arg0" else {argument: VALUES_OF_CALLBACKS[argument]}))


def of_file(name, weights=False):
    model, other = small(), small()
    if weights:
        model.save_weights(name)
        other.load_weights(name)
    else:
        model.save(name)
        other = models.load_model(name)
    same(model, other)


def of_checkpoint(name, found, **settings):
    model = small()
    checkpoint = callbacks.ModelCheckpoint(name, **settings)
    fitted(model=model, callbacks=[checkpoint], validation_data=(X, Y), epochs=2)
    assert [path.name for path in Path().iterdir()] == [found]


def of_folder():
    model = small()
    model.save("folder")
    same(model, models.load_model("folder"))


def of_inner_output():
    model = small()
    inner = models.Model(inputs=model.input, outputs=model.get_layer("a").output)
    assert inner.predict(X, verbose=0).shape == (16, 6, 6, 2)


def of_train_on_batch():
    model = small()
    assert len(model.train_on_batch(X, Y)) == len(model.test_on_batch(X, Y)) == 2


def of_compiled(loss, **settings):
    model = functional(2)
    model.compile("sgd", loss, **settings)
    fitted(X, [np.eye(3)[Y]] * 2, model=model)


def of_one_metric():
    model = small()
    model.compile("sgd", LOSS, metrics="accuracy")
    assert "accuracy" in fitted(model=model)


OF_FIT = {
    "batch_size": 4, "callbacks": [], "class_weight": {0: 1.0, 1: 2.0, 2: 1.0}, "epochs": 2, "initial_epoch": 0,
    "nb_epoch": 2, "shuffle": False, "steps_per_epoch": 2, "validation_data": (X, Y), "validation_split": 0.25,
    "validation_steps": 1, "verbose": 2, "workers": 2,
}  # fmt: skip


def of_fit(argument):
    needed = {"validation_data": (X, Y)} if argument == "validation_steps" else {}
    if argument in "xy":
        fitted_by_name = small().fit(x=X, y=Y, verbose=0)
        assert fitted_by_name.epoch == [0]
        return
    fitted(**needed, **{argument: OF_FIT[argument]})


def of_fit_generator(argument="steps_per_epoch"):
    settings = {"steps_per_epoch": 2, "verbose": 0, argument: OF_FIT[argument]}
    if argument == "validation_steps":
        settings["validation_data"] = batches()
    small().fit_generator(batches(), **settings)


def of_method(word):
    name, argument = fullmatch(r"(\w+)\((\w+)=\)", word).groups()
    if name in ("fit", "fit_generator"):
        (of_fit if name == "fit" else of_fit_generator)(argument)
    elif name == "flow_from_directory":
        of_flow_from_directory(argument)
    elif name == "flow":
        assert len(next(ImageDataGenerator().flow(X, batch_size=5))) == 5
    elif name == "summary":
        lines = []
        small().summary(print_fn=lines.append)
        assert lines
    else:
        given = (X,) if name == "predict" else (X, Y)
        assert len(getattr(small(), name)(*given, **{"verbose": 0, argument: 2})) > 1


def of_scikit_learn():
    from numba_cnn.wrappers.scikit_learn import KerasClassifier

    rows = X.reshape(len(X), -1)

    def build():
        model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(64,))])
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        return model

    assert KerasClassifier(build, epochs=1, verbose=0).fit(rows, Y).epoch == [0]


def of_weights_given():
    kernel, bias = np.ones((3, 2), np.float32), np.zeros(2, np.float32)
    layer = layers.Dense(2, weights=[kernel, bias])
    np.testing.assert_array_equal(layer(np.ones((1, 3), np.float32)), [[3, 3]])


def of_own_layer():
    class Twice(layers.Layer):
        def __init__(self, units, **settings):
            super().__init__(**settings)
            self.inner = layers.Dense(units)

        def call(self, x):
            return self.inner(x)

    assert models.Sequential([layers.Input((6,)), Twice(3)]).predict(ROWS, verbose=0).shape == (
        4,
        3,
    )


CALLS = {
    ("Model kinds", "Sequential"): fitted,
    ("Model kinds", "functional"): of_functional,
    ("Model kinds", "nested models"): of_nested,
    ("Model kinds", "subclass"): of_subclass,
    ("Model kinds", "several inputs or outputs"): partial(of_functional, 2),
    ("Callbacks", "own class"): of_own_callback,
    ("compile", "several losses"): partial(of_compiled, ["mse", "mae"]),
    ("compile", "loss_weights="): partial(of_compiled, ["mse", "mae"], loss_weights=[1, 0.5]),
    ("compile", "metrics as one string"): of_one_metric,
    ("Files", ".h5"): partial(of_file, "m.h5"),
    ("Files", ".keras"): partial(of_file, "m.keras"),
    ("Files", "load_weights of .h5"): partial(of_file, "w.h5", True),
    ("Files", ".weights.h5"): partial(of_file, "m.weights.h5", True),
    ("Methods", "summary"): lambda: small().summary(print_fn=str),
    ("Methods", "predict"): lambda: small().predict(X, verbose=0)[15, 2],
    ("Methods", "evaluate"): lambda: small().evaluate(X, Y, verbose=0)[1],
    ("Methods", "build"): lambda: models.Sequential([layers.Dense(2)]).build((None, 3)),
    ("Methods", "get_weights"): lambda: small().get_weights()[3].shape,
    ("Methods", "set_weights"): lambda: small().set_weights(small().get_weights()),
    ("Methods", "get_layer"): lambda: small().get_layer("a").kernel,
    ("Methods", "count_params"): lambda: 1 / small().count_params(),
    ("Methods", "predict_on_batch"): lambda: small().predict_on_batch(X)[15],
    ("Methods", "train_on_batch"): of_train_on_batch,
    ("utils", "to_categorical"): lambda: utils.to_categorical(Y, 3)[15, 2],
    ("utils", "load_img, img_to_array"): of_image,
    ("utils", "plot_model"): lambda: utils.plot_model(small(), "m.svg", show_shapes=True),
    ("utils", "normalize"): lambda: utils.normalize(ROWS, axis=1)[3, 5],
    ("backend", "image_data_format"): lambda: {"channels_last": 0}[backend.image_data_format()],
    ("backend", "backend()"): lambda: {"numba_cnn": 0}[backend.backend()],
    ("backend", "clear_session"): backend.clear_session,
    ("Other API", "model.input, layer.output"): of_inner_output,
    ("Other API", "to_json, model_from_json"): lambda: models.model_from_json(small().to_json()),
    ("Other API", "clone_model"): lambda: models.clone_model(small()).predict(X, verbose=0),
    ("Own classes", "Layer class"): of_own_layer,
    ("Data", "ImageDataGenerator"): of_generator,
    ("Data", "flow_from_directory"): of_flow_from_directory,
    ("Data", "tf.data"): of_tf_data,
    ("Data", "image_dataset_from_directory"): of_image_dataset,
    ("Data", "Python generator"): lambda: fitted(batches(), steps_per_epoch=2),
    ("Data", "Sequence / PyDataset"): of_sequence,
    ("Data", "flow_from_dataframe"): of_flow_from_dataframe,
    ("Data sources", "keras.datasets"): of_datasets,
    ("Data sources", "get_file"): of_get_file,
}
OLD = {
    "fit_generator": of_fit_generator,
    "lr=": lambda: fitted(model=small(optimizer=optimizers.SGD(lr=0.1))),
    "save_weights, not .weights.h5": partial(of_file, "w.h5", True),
    "history['acc'] of 'accuracy'": lambda: fitted()["acc"],
    "ModelCheckpoint to .hdf5": partial(of_checkpoint, "m.hdf5", "m.hdf5"),
    "Keras 1 arguments": lambda: layers.Conv2D(2, 3, 3, border_mode="same", subsample=(2, 2))(X),
    "SavedModel folder by save()": of_folder,
    "predict_classes": lambda: small().predict_classes(X)[15],
    "predict_generator": lambda: small().predict_generator(batches(), steps=2, verbose=0)[7],
    "nb_epoch etc.": lambda: fitted(nb_epoch=2)["loss"][1],
    "evaluate_generator": lambda: small().evaluate_generator(batches(), 2, verbose=0)[1],
    "ModelCheckpoint(period=)": partial(of_checkpoint, "m{epoch}.h5", "m2.h5", period=2),
    "image_dim_ordering": lambda: {"channels_last": 0}[backend.image_dim_ordering()],
    "checkpoint of other ending": partial(
        of_checkpoint, "cp.ckpt", "cp.ckpt.weights.h5", save_weights_only=True
    ),
    "epsilon=None": lambda: fitted(model=small(optimizer=optimizers.Adam(epsilon=None))),
    "predict_proba": lambda: small().predict_proba(X)[15],
    "workers= in fit": lambda: fitted(workers=2, use_multiprocessing=True),
    "batch_input_shape": lambda: layers.Dense(2, batch_input_shape=(None, 6))(ROWS),
    "lower-case optimizer class": lambda: fitted(model=small(optimizer=optimizers.adam())),
    "multi_gpu_model": lambda: fitted(model=utils.multi_gpu_model(small(), gpus=2)),
    "scikit_learn wrapper": of_scikit_learn,
    "to_yaml": lambda: models.model_from_yaml(small().to_yaml()),
    "weights= of a layer": of_weights_given,
}
CALLS |= {("Spellings that Keras 3 refuses", word): call for word, call in OLD.items()}


def call(title, word):
    """What the word of that table is, done once."""
    if (title, word) in CALLS:
        CALLS[title, word]()
    elif title == "Callbacks":
        of_callback(word)
    elif title == "Arguments of callbacks":
        of_argument_of_a_callback(word)
    elif title == "Arguments of fit":
        of_fit(word)
    elif title == "Arguments of methods":
        of_method(word)
    else:
        name, argument = fullmatch(r"(\w+)\((\w+|\*\*)=\)", word).groups()
        (of_generator if name == "ImageDataGenerator" else of_image_dataset)(argument)
