"""Real Keras, asked from outside: python keras_peer.py COMMAND FOLDER.

answers    writes answers.json, and files that the tests read
words      says in words.json which of keras_words.py's words Keras does not have
reads      reads ours.keras and ours.weights.h5 from the folder and writes reads.json
"""

import contextlib
import inspect
import io
import json
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import small_cnn
from keras import callbacks, layers, models


def compiled(optimizer="adam"):
    keras.backend.clear_session()
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    name, arguments, _ = small_cnn.TRAININGS[optimizer]
    model.compile(
        getattr(keras.optimizers, name)(**arguments),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        run_eagerly=True,  # compiling takes longer than so few steps
    )
    return model


def fit(model, **arguments):
    x, y = small_cnn.data()
    return model.fit(x, y, batch_size=8, shuffle=False, verbose=0, **arguments).history


def summary(build, arguments, trained=False):
    keras.backend.clear_session()
    lines = []
    model = build(layers, models)
    if trained:
        model.compile("adam", "sparse_categorical_crossentropy")
        model.optimizer.build(model.trainable_variables)
    model.summary(print_fn=lines.append, **arguments)
    return "".join(lines)


def answers(folder):
    x, y = small_cnn.data()
    result = {"trainings": {}, "summaries": {}}
    for name, (_, _, arguments) in small_cnn.TRAININGS.items():
        model = compiled(name)
        result["trainings"][name] = fit(model, epochs=3, **arguments)
        np.savez(folder / f"{name}.npz", *model.get_weights())
    for name, (build, arguments) in small_cnn.SUMMARIES.items():
        result["summaries"][name] = summary(build, arguments)
    result["summaries"]["trained"] = summary(small_cnn.tutorial, {}, trained=True)

    model = compiled()
    fit(model, epochs=2)
    model.save(folder / "theirs.keras")
    model.save_weights(folder / "theirs.weights.h5")
    model.save(folder / "legacy.h5")
    result["evaluate"] = model.evaluate(x, y, verbose=0)
    result["predictions"] = model.predict(x, verbose=0).tolist()
    result["goes_on"] = fit(model, epochs=2)

    result["callbacks"] = fit(
        compiled(),
        epochs=9,
        validation_split=0.3,
        callbacks=[
            callbacks.ReduceLROnPlateau(monitor="val_loss", patience=1, factor=0.5),
            callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True),
            callbacks.CSVLogger(folder / "theirs.csv"),
        ],
    )
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        compiled().fit(x, y, epochs=2, verbose=2, validation_split=0.3)
    result["verbose_2"] = text.getvalue()
    return result


def reads(folder):
    x, y = small_cnn.data()
    model = keras.models.load_model(folder / "ours.keras")
    result = {
        "predictions": model.predict(x, verbose=0).tolist(),
        "iterations": int(model.optimizer.iterations),
        "names": [layer.name for layer in model.layers],
        "evaluate": model.evaluate(x, y, verbose=0),
        "goes_on": fit(model, epochs=2),
    }
    model = small_cnn.build(layers, models)
    model.load_weights(folder / "ours.weights.h5")
    result["weights"] = [weight.tolist() for weight in model.get_weights()]
    return result


def words(folder):
    from numba_cnn.keras_words import WORDS

    functions = [
        keras.Model.fit, keras.Model.evaluate, keras.Model.compile, keras.layers.Dense, keras.layers.Layer,
        keras.layers.BatchNormalization, keras.optimizers.Adam, keras.optimizers.RMSprop,
        keras.losses.SparseCategoricalCrossentropy,
    ]  # fmt: skip
    known = {name for function in functions for name in inspect.signature(function).parameters}
    missing = [f"arguments.{word}" for word in WORDS["arguments"] if word not in known]
    for namespace, names in WORDS.items():
        module = keras if namespace == "numba_cnn" else getattr(keras, namespace, None)
        if module is not None:
            missing += [f"{namespace}.{word}" for word in names if not hasattr(module, word)]
    return {"missing": missing}


if __name__ == "__main__":
    warnings.filterwarnings(
        "error", message=".*optimizer.*"
    )  # state that Keras would not take over
    command, folder = sys.argv[1], Path(sys.argv[2])
    answer = {"answers": answers, "reads": reads, "words": words}[command](folder)
    (folder / f"{command}.json").write_text(json.dumps(answer))
