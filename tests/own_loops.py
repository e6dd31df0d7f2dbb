"""Training loops of one's own, in either library's words: lists of callbacks, progress bars, keras.config."""

import contextlib
import io
import os
import re
from unittest import mock

import numpy as np
import small_cnn
from own_words import refused


class Terminal(io.StringIO):
    def isatty(self):
        return True


def screen(show):
    """What show() writes to a terminal."""
    settings = {"TERM": "xterm", "COLUMNS": "100"}
    with mock.patch.dict(os.environ, settings), contextlib.redirect_stdout(Terminal()) as text:
        show()
    return text.getvalue()


def lines(text):
    """[done, total, bar, unit, logs] of each line that was drawn; without times, which differ."""
    found = []
    for line in re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\x08", "", text)):
        counts = re.match(r" *(\d+)/(\w+) ", line)
        if counts:
            found.append(
                [
                    *counts.groups(),
                    len(re.findall("━", line)) if counts[2] != "Unknown" else None,
                    re.search(r"\d+[mu]?s/(\w+)", line)[1],
                    dict(re.findall(r" - (\w+): (\S+)", line)),
                ]
            )
    return found


VALUES = np.array([0.75, 0.25, 0.5, 0.0001]), np.array([1.0, 2.0, 6.0, 3.0])


def bars(keras):
    """Of several bars, each line that they draw."""

    def steps(numbers=(1, 2, 3, 4), add=False, final=None, pairs=True, **settings):
        bar = keras.utils.Progbar(interval=0, **settings)
        before = 0
        for i, number in enumerate(numbers):
            logs = [("accuracy", VALUES[0][i]), ("loss", VALUES[1][i])] if pairs else None
            if add:
                bar.add(number - before, logs)
            else:
                bar.update(number, values=logs, finalize=final if final is None else i == 3)
            before = number

    shown = {
        "means": {"target": 4},
        "added": {"target": 9, "numbers": (2, 3, 5, 9), "add": True},
        "unknown": {"target": None, "final": True},
        "as they are": {"target": 5, "stateful_metrics": ["loss"], "numbers": (2, 3, 4, 5)},
        "means of some": {"target": 6, "stateless_metrics": ["loss"], "numbers": (2, 3, 4, 5)},
        "named": {"target": 12, "width": 7, "unit_name": "sample", "numbers": (3, 6, 9, 12)},
        "bare": {"target": 4, "pairs": False},
        "a line": {"target": 4, "verbose": 2},
        "nothing": {"target": 4, "verbose": 0},
        "with one mean alone": {"target": 4, "final": True, "numbers": (1, 2, 3, 4)},
    }
    return {name: lines(screen(lambda s=s: steps(**s))) for name, s in shown.items()} | {
        "refused": [
            refused(lambda: keras.utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"]))
        ]
    }


def called(keras):
    """Every hook of a list of callbacks, and what it is given."""

    class Own(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.losses = []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(["train", batch, type(logs["loss"]).__name__, list(logs)])
            logs["more"] = 1.0

        def on_epoch_end(self, epoch, logs=None):
            self.losses.append(["epoch", epoch, sorted(logs.items()), self.params.get("steps")])

        def on_test_batch_end(self, batch, logs=None):
            self.losses.append(["test", batch, list(logs)])

        def on_predict_end(self, logs=None):
            self.losses.append(["predict", logs])

    model, own = small_cnn.build(keras.layers, keras.models), Own()
    listed = keras.callbacks.CallbackList(
        [own], add_history=True, model=model, epochs=2, steps=2, verbose=0
    )
    listed.on_train_begin()
    given = {"loss": np.float32(0.5), "accuracy": np.array(0.25), "inside": {"a": np.int64(3)}}
    for epoch in range(2):
        listed.on_epoch_begin(epoch)
        for batch in range(2):
            listed.on_train_batch_begin(batch)
            listed.on_train_batch_end(batch, given)
        listed.on_test_begin()
        listed.on_test_batch_begin(0)
        listed.on_test_batch_end(0, {"loss": 1})
        listed.on_test_end({"loss": 1})
        listed.on_epoch_end(epoch, given)
    listed.on_train_end()
    listed.on_predict_begin()
    listed.on_predict_batch_begin(0)
    listed.on_predict_batch_end(0, {})
    listed.on_predict_end()
    empty = keras.callbacks.CallbackList()
    return {
        "seen": own.losses,
        "kept": sorted(given),
        "history": model.history.history,
        "epochs": model.history.epoch,
        "is a callback": isinstance(listed, keras.callbacks.Callback),
        "params": [listed.params, empty.params],
        "kinds": [type(one).__name__ for one in listed.callbacks],
        "with all": [
            type(one).__name__
            for one in keras.callbacks.CallbackList(add_history=True, add_progbar=True).callbacks
        ],
        "refused": [refused(lambda: empty.on_train_end()), refused(lambda: empty.on_epoch_end(0))],
    }


def logged(keras):
    """What a list with a progress bar draws at last of each epoch, and fit() that is given one."""
    model = small_cnn.build(keras.layers, keras.models)
    model.set_weights(small_cnn.weights())
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    x, y = small_cnn.data()

    def loop():
        params = {"epochs": 2, "steps": 3, "verbose": 1}
        listed = keras.callbacks.CallbackList(add_progbar=True, model=model, **params)
        listed.on_train_begin()
        for epoch in range(2):
            listed.on_epoch_begin(epoch)
            for batch in range(3):
                listed.on_train_batch_end(batch, {"loss": VALUES[1][batch]})
            listed.on_epoch_end(epoch, {"loss": 2.5, "val_loss": 7})
        listed.on_train_end()

    def fit(**settings):
        given = [keras.callbacks.ProgbarLogger()]
        model.fit(x, y, epochs=2, batch_size=8, shuffle=False, callbacks=given, **settings)

    def listed():
        given = keras.callbacks.CallbackList(
            add_history=True, model=model, verbose=0, epochs=1, steps=None
        )
        return model.fit(x, y, epochs=1, shuffle=False, verbose=0, callbacks=given).history

    text = screen(loop)
    whole = screen(fit)
    return {
        "loop": [line for line in lines(text) if line[0] == "3"][-1],
        "headings": re.findall("Epoch ./.", text),
        "fit": [line for line in lines(whole) if line[0] == line[1]][-1],
        "headings of fit": len(re.findall("Epoch ./.", whole)),
        "silent": screen(lambda: fit(verbose=0)),
        "list": listed(),
    }


def configured(keras):
    """What keras.config says, and what it refuses."""
    config = keras.config
    found = {
        "floatx": config.floatx(),
        "layout": config.image_data_format(),
        "epsilon": config.epsilon(),
        "policy": [
            getattr(config.dtype_policy(), name)
            for name in ("name", "compute_dtype", "variable_dtype")
        ],
        "filtering": config.is_traceback_filtering_enabled(),
        "interactive": config.is_interactive_logging_enabled(),
        "version": keras.version() == keras.__version__,
    }
    config.set_epsilon(1e-5)
    found["another epsilon"] = [config.epsilon(), keras.backend.epsilon()]
    config.set_epsilon(1e-7)
    config.set_floatx("float32")
    config.set_image_data_format("channels_last")
    config.set_dtype_policy("float32")
    config.set_dtype_policy(config.dtype_policy())
    config.disable_traceback_filtering()
    found["without"] = config.is_traceback_filtering_enabled()
    config.enable_traceback_filtering()
    config.disable_interactive_logging()
    found["logged"] = [
        config.is_interactive_logging_enabled(),
        screen(lambda: keras.utils.Progbar(2).update(2)),
    ]
    keras.utils.enable_interactive_logging()
    refusals = {
        "floatx": lambda: config.set_floatx("float33"),
        "layout": lambda: config.set_image_data_format("channels"),
        "policy": lambda: config.set_dtype_policy("float"),
    }
    return found | {"refused": {name: refused(call) for name, call in refusals.items()}}


CASES = {"bars": bars, "lists of callbacks": called, "progress": logged, "config": configured}
