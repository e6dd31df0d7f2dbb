"""Callbacks: when each is called, and what each does; the numbers are compared to Keras's elsewhere."""

import csv

import numpy as np
import pytest
import small_cnn

from numba_cnn import callbacks, layers, models


@pytest.fixture
def model():
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    return model


def fit(model, *used, epochs=3, **arguments):
    x, y = small_cnn.data()
    arguments = {"batch_size": 8, "shuffle": False, "verbose": 0} | arguments
    return model.fit(x, y, epochs=epochs, callbacks=list(used), **arguments).history


class Feed(callbacks.Callback):
    """Lets the other callbacks see the given values as those of the epochs."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "epoch", "test", "predict", "train_batch", "test_batch", "predict_batch")
    for when in ("begin", "end")
]


def recorder(calls):
    """A callback that notes every hook, with the number of its epoch or batch."""

    def note(hook):
        return lambda *arguments: calls.append((hook.removeprefix("on_"), *arguments[:-1]))

    return callbacks.LambdaCallback(**{hook: note(hook) for hook in HOOKS})


def test_order_of_the_hooks(model):
    calls = []
    fit(
        model, recorder(calls), epochs=2, initial_epoch=1, validation_split=0.5
    )  # 11 and 12 samples
    assert calls == [
        ("train_begin",),
        ("epoch_begin", 1),
        ("train_batch_begin", 0), ("train_batch_end", 0),
        ("train_batch_begin", 1), ("train_batch_end", 1),
        ("test_begin",),
        ("test_batch_begin", 0), ("test_batch_end", 0),
        ("test_batch_begin", 1), ("test_batch_end", 1),
        ("test_end",),
        ("epoch_end", 1),
        ("train_end",),
    ]  # fmt: skip
    calls.clear()
    x, _ = small_cnn.data()
    model.predict(x[:9], batch_size=8, verbose=0, callbacks=recorder(calls))
    assert calls == [
        ("predict_begin",),
        ("predict_batch_begin", 0), ("predict_batch_end", 0),
        ("predict_batch_begin", 1), ("predict_batch_end", 1),
        ("predict_end",),
    ]  # fmt: skip


def test_logs_of_batches_are_the_means_so_far(model):
    seen = []
    model.optimizer.learning_rate = 0.0
    history = fit(
        model,
        callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["loss"])),
        epochs=1,
    )
    x, y = small_cnn.data()
    for batch, loss in enumerate(seen):
        so_far = slice(0, 8 * (batch + 1))
        assert loss == pytest.approx(model.evaluate(x[so_far], y[so_far], verbose=0)[0], rel=1e-6)
    assert history["loss"] == seen[-1:]


def test_lambda_callback_knows_its_hooks():
    with pytest.raises(TypeError, match=r"the name of a hook .*\. Received: 'on_epoch_ends'"):
        callbacks.LambdaCallback(on_epoch_ends=print)


def test_stop_training(model):
    def stop(batch, logs):
        model.stop_training = batch == 1

    history = fit(model, callbacks.LambdaCallback(on_train_batch_end=stop))
    assert len(history["loss"]) == 1
    assert model.optimizer.iterations == 2
    assert len(fit(model)["loss"]) == 3  # the next fit starts afresh


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({"patience": 0}, [3, 2, 2, 1, 1], 3),
        ({"patience": 2}, [3, 2, 2, 1, 5, 5, 0], 6),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.4, 2.0, 1.0], 3),
        ({"patience": 0, "mode": "max"}, [1, 2, 2], 3),
        (
            {"patience": 0, "min_delta": 0.5},
            [3, 2.5, 1],
            2,
        ),  # as much as min_delta is no improvement
        ({"patience": 0, "min_delta": -0.5, "mode": "max"}, [1, 1.5, 3], 2),
        ({"patience": 3, "baseline": 2.0}, [2, 2, 2, 2, 0], 3),  # nor is the baseline itself
        ({"patience": 0}, [3], 1),
        ({"patience": 3, "baseline": 1.0}, [3, 2, 2.5, 0.5], 3),
        ({"patience": 0, "start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
    ],
)
def test_early_stopping(model, arguments, values, epochs):
    stop = callbacks.EarlyStopping("loss", **arguments)
    history = fit(model, Feed("loss", values), stop, epochs=len(values))
    assert history["loss"] == values[:epochs]


def test_early_stopping_brings_the_best_weights_back(model, capsys):
    weights = []
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    )
    stop = callbacks.EarlyStopping("loss", patience=2, verbose=1, restore_best_weights=True)
    fit(model, keep, Feed("loss", [3, 1, 2, 2, 0]), stop, epochs=5)
    assert len(weights) == 4
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights[1], strict=True))
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )
    fit(model, keep, Feed("loss", [1, 2, 3, 0]), stop, epochs=4)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights[4], strict=True))
    assert "best epoch: 1." in capsys.readouterr().out


def test_direction_of_a_metric(model):
    stop = callbacks.EarlyStopping("val_accuracy")
    history = fit(model, Feed("val_accuracy", [0.1, 0.2, 0.2]), stop, epochs=3)
    assert len(history["loss"]) == 3
    with pytest.raises(ValueError, match='mode="min" or mode="max" which way \'speed\' improves'):
        fit(model, Feed("speed", [1]), callbacks.EarlyStopping("speed"), epochs=1)
    with pytest.raises(ValueError, match=r"mode must be .* Received: 'up'"):
        callbacks.EarlyStopping(mode="up")


def test_a_monitor_that_is_not_logged(model):
    with pytest.warns(
        UserWarning, match="nothing is logged as 'val_loss'. Received: accuracy, loss"
    ):
        fit(model, callbacks.EarlyStopping(), epochs=1)


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 1, "factor": 0.5}, [2, 2, 2, 1, 1], [8, 8, 4, 2, 2]),
        ({"patience": 2, "factor": 0.5}, [2, 2, 2, 2, 2, 2], [8, 8, 8, 4, 4, 2]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [2] * 6, [8, 8, 4, 4, 2, 2]),
        ({"patience": 1, "factor": 0.1, "min_lr": 3.0}, [2] * 4, [8, 8, 3, 3]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [2, 1.5, 1, 1], [8, 8, 4, 4]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5, "mode": "max"}, [1, 1.5, 2.1], [8, 8, 4]),
    ],
)
def test_reduce_lr_on_plateau(model, arguments, values, rates):
    model.optimizer.learning_rate = 8.0
    plateau = callbacks.ReduceLROnPlateau("loss", **arguments)
    history = fit(model, Feed("loss", values), plateau, epochs=len(values))
    assert history["learning_rate"] == rates


def test_a_rate_that_is_the_least_stays_without_a_word(model, capsys):
    model.optimizer.learning_rate = 0.5
    plateau = callbacks.ReduceLROnPlateau(
        "loss", factor=0.5, patience=1, min_lr=0.5, verbose=1, cooldown=3
    )
    history = fit(model, Feed("loss", [2, 2, 2]), plateau, epochs=3)
    assert history["learning_rate"] == [0.5] * 3
    assert plateau.cooldown_counter == 0
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"factor must be .* below 1.* Received: 1"):
        callbacks.ReduceLROnPlateau(factor=1)


def test_learning_rate_scheduler(model, capsys):
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    assert fit(model, schedule)["learning_rate"] == [0.0005, 0.00025, 0.000125]
    assert capsys.readouterr().out.splitlines()[1] == (
        "Epoch 2: LearningRateScheduler setting learning rate to 0.00025."
    )
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1))
    assert fit(model, by_epoch, epochs=2)["learning_rate"] == [0.1, 0.2]
    with pytest.raises(
        ValueError, match=r"what schedule returns must be a finite number .* Received: None"
    ):
        fit(model, callbacks.LearningRateScheduler(lambda epoch: None))


class TestCSVLogger:
    def rows(self, path, separator=","):
        with path.open(newline="") as file:
            return list(csv.reader(file, delimiter=separator))

    def test_lines(self, model, tmp_path):
        path = tmp_path / "log.csv"
        history = fit(model, callbacks.CSVLogger(path), validation_split=0.3)
        header, *rows = self.rows(path)
        assert header == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
        assert [row[0] for row in rows] == ["0", "1", "2"]
        assert [float(row[2]) for row in rows] == history["loss"]
        assert [float(row[4]) for row in rows] == history["val_loss"]

    def test_append_and_separator(self, model, tmp_path):
        path = tmp_path / "log.csv"
        for append in (False, True, True):
            fit(model, callbacks.CSVLogger(path, separator=";", append=append), epochs=1)
        rows = self.rows(path, ";")
        assert [row[0] for row in rows] == ["epoch", "0", "0", "0"]
        assert rows[1][3:] == ["NA", "NA"]  # columns are kept for a validation that may come
        fit(model, callbacks.CSVLogger(path), epochs=1)
        assert len(self.rows(path)) == 2

    def test_validation_in_some_epochs(self, model, tmp_path):
        fit(
            model,
            callbacks.CSVLogger(tmp_path / "log.csv"),
            validation_split=0.3,
            validation_freq=2,
            epochs=2,
        )
        _, first, second = self.rows(tmp_path / "log.csv")
        assert first[3:] == ["NA", "NA"]
        assert float(second[4]) > 0


class TestModelCheckpoint:
    def test_every_epoch(self, model, tmp_path):
        fit(model, callbacks.ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{loss:.2f}.keras"))
        names = sorted(path.name for path in (tmp_path / "new").iterdir())
        assert [name[:3] for name in names] == ["01-", "02-", "03-"]
        last = models.load_model(tmp_path / "new" / names[-1], backend="cpu")
        for ours, saved in zip(model.get_weights(), last.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, saved)

    def test_best_only(self, model, tmp_path, capsys):
        path = tmp_path / "best.weights.h5"
        checkpoint = callbacks.ModelCheckpoint(
            path, "loss", verbose=1, save_best_only=True, save_weights_only=True
        )
        kept = callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: epoch == 1 and best.extend(model.get_weights())
        )
        best = []
        fit(model, Feed("loss", [3, 1, 2]), kept, checkpoint)
        assert capsys.readouterr().out.splitlines() == [
            f"Epoch 1: loss improved from None to 3.00000, saving model to {path}",
            f"Epoch 2: loss improved from 3.00000 to 1.00000, saving model to {path}",
            "Epoch 3: loss did not improve from 1.00000",
        ]
        model.load_weights(path)
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), best, strict=True))

    def test_every_few_batches(self, model, tmp_path):
        path = tmp_path / "{epoch}-{batch}.keras"
        fit(model, callbacks.ModelCheckpoint(path, save_freq=2))  # 3 batches in each of 3 epochs
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["1-2.keras", "2-1.keras", "2-3.keras", "3-2.keras"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"filepath": ""}, "filepath must be a path"),
            ({"filepath": "a.keras", "save_freq": "batch"}, "save_freq .* Received: 'batch'"),
            (
                {"filepath": "a.keras", "save_freq": "0.5 epochs"},
                "save_freq .* Received: '0.5 epochs'",
            ),
        ],
    )
    def test_wrong_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            callbacks.ModelCheckpoint(**arguments)

    def test_a_name_that_is_not_logged(self, model, tmp_path):
        with pytest.raises(ValueError, match="filepath names 'f1', which is not logged"):
            fit(model, callbacks.ModelCheckpoint(tmp_path / "{f1}.keras"))


def test_terminate_on_nan(model, capsys):
    model.layers[-1].kernel.value = np.full((6, 4), np.inf, np.float32)
    history = fit(model, callbacks.TerminateOnNaN())
    assert len(history["loss"]) == 1
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    assert model.optimizer.iterations == 1
