"""What Keras says of callbacks and of objects of the user's own: `python words_peer.py FOLDER` writes answers.json.

The same words run in both libraries: each function below is given the modules of one of them. Of FILES it reads those
that this library wrote, ours_NAME, and writes theirs_NAME.
"""

import inspect
import json
import sys
from pathlib import Path

import numpy as np
import own_estimators
import own_loops
import own_models
import own_objects
import own_words
import small_cnn


def averaged(keras, *, swap_on_epoch):
    """The history and the weights of a run whose averages are swapped, and its losses by evaluate."""
    model = small_cnn.build(keras.layers, keras.models)
    model.set_weights(small_cnn.weights())
    model.compile(
        keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.6), "sparse_categorical_crossentropy",
        run_eagerly=True,
    )  # fmt: skip
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
    seen = []
    see = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(float(np.abs(model.get_weights()[-2]).sum())),
        on_epoch_begin=lambda epoch, logs: seen.append(
            float(np.abs(model.get_weights()[-2]).sum())
        ),
    )
    history = small_cnn.fit(model, epochs=3, validation_split=0.3, callbacks=[swap, see])
    x, y = small_cnn.data()
    return {
        "history": history,
        "seen": seen,
        "evaluate": model.evaluate(x, y, verbose=0, callbacks=[swap]),
        "weights": [w.tolist() for w in model.get_weights()],
    }


CASES = {
    "averages": lambda keras: averaged(keras, swap_on_epoch=False),
    "averages by epoch": lambda keras: averaged(keras, swap_on_epoch=True),
}


def summaries(keras):
    """Of models of the user's own, before they are built and afterwards."""
    own = own_models.classes(keras)
    found = {}
    for name, make in own_models.MODELS.items():
        keras.backend.clear_session()
        found[f"{name}, as it is made"] = own_models.summary(make(keras, own))
        keras.backend.clear_session()
        found[name] = own_models.summary(own_models.made(name, keras, own))
    return found


def distance(y_true, y_pred):
    return abs(y_true - y_pred).mean(-1)


def largest(y_true, y_pred):
    return y_pred.max()


def functions(keras):
    """Plain functions as metrics, weighted too."""
    model = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(3)])
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in model.weights])
    model.compile(
        keras.optimizers.SGD(0.05), "mse", metrics=[distance, largest], weighted_metrics=[distance],
        run_eagerly=True,
    )  # fmt: skip
    x, y = own_objects.data()
    weight = np.linspace(0.5, 2, 12, dtype=np.float32)
    return model.fit(
        x, y, 5, epochs=2, shuffle=False, verbose=0, sample_weight=weight, validation_data=(x, y)
    ).history


def signatures(keras):
    """Of what is called."""
    functions = [
        keras.callbacks.BackupAndRestore, keras.callbacks.SwapEMAWeights, keras.callbacks.RemoteMonitor,
        keras.saving.register_keras_serializable, keras.saving.get_registered_name,
        keras.saving.get_registered_object, keras.utils.plot_model, keras.models.model_from_json,
        keras.saving.deserialize_keras_object, keras.saving.load_model,
        keras.callbacks.CallbackList, keras.utils.Progbar, keras.utils.Progbar.update, keras.utils.Progbar.add,
    ]  # fmt: skip
    return {
        function.__name__: {
            p.name: "required" if p.default is p.empty else repr(p.default)
            for p in inspect.signature(function).parameters.values()
            if p.kind is p.POSITIONAL_OR_KEYWORD
        }
        for function in functions
    }


CASES |= {"summaries": summaries, "signatures": signatures, "functions": functions}
CASES |= own_estimators.CASES | own_loops.CASES | own_words.CASES

# By name: what makes a model, and what is asked of it.
FILES = {
    "own.keras": (
        lambda keras: own_objects.model(keras, own_objects.classes(keras)),
        own_objects.results,
    ),
    **{
        f"{name}{ending}": (
            lambda keras, name=name: own_models.made(name, keras, own_models.classes(keras)),
            lambda model, name=name: own_models.results(name, model),
        )
        for name in own_models.MODELS
        for ending in (".keras", ".weights.h5")
    },
}


def write(model, path):
    (model.save if path.suffix == ".keras" else model.save_weights)(path)


def read(keras, make, path):
    """The model of a file, or another one with the weights of a file."""
    if path.suffix == ".keras":
        return keras.models.load_model(path)
    model = make(keras)
    model.set_weights([0 * w for w in model.get_weights()])
    model.load_weights(path)
    return model


def main(folder):
    import keras

    answers = {name: case(keras) for name, case in CASES.items()}
    for name, (make, ask) in FILES.items():
        model = make(keras)
        write(model, folder / f"theirs_{name}")
        answers[name] = ask(model)
        answers[f"ours_{name}"] = ask(read(keras, make, folder / f"ours_{name}"))
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
