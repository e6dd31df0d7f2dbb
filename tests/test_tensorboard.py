"""What the TensorBoard callback writes is read by TensorBoard's own reader."""

import builtins
import pickle

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from numba_cnn import callbacks, layers, models

X, Y = np.random.default_rng(0).random((24, 5), dtype=np.float32), np.arange(24) % 3


def fit(folder, **settings):
    model = models.Sequential(
        [layers.Dense(3, activation="softmax", input_shape=(5,), name="last")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = callbacks.TensorBoard(folder, **settings)
    history = model.fit(
        X, Y, 8, epochs=3, verbose=0, validation_data=(X, Y), callbacks=[callback]
    ).history
    return model, history


def read(folder):
    events = EventAccumulator(str(folder), {"histograms": 0})
    events.Reload()
    return events


def scalars(folder, tag):
    return [(one.step, one.value) for one in read(folder).Scalars(tag)]


def test_scalars_of_epochs(tmp_path):
    _, history = fit(tmp_path)
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = read(tmp_path / part)
        assert sorted(events.Tags()["scalars"]) == ["epoch_accuracy", "epoch_loss"]
        for name in ("loss", "accuracy"):
            expected = history[prefix + name]
            found = scalars(tmp_path / part, f"epoch_{name}")
            assert [step for step, _ in found] == [0, 1, 2]
            np.testing.assert_allclose([value for _, value in found], expected, rtol=1e-6)


def test_histograms_of_weights(tmp_path):
    model, _ = fit(tmp_path, histogram_freq=2, write_graph=True, write_images=True)
    events = read(tmp_path / "train")
    assert events.Tags()["histograms"] == ["last/kernel/histogram", "last/bias/histogram"]
    kernel = events.Histograms("last/kernel/histogram")
    assert [one.step for one in kernel] == [0, 2]
    values = model.get_weights()[0].astype(np.float64)
    last = kernel[-1].histogram_value
    np.testing.assert_allclose(
        [last.min, last.max, last.sum], [values.min(), values.max(), values.sum()], rtol=1e-6
    )
    assert last.num == sum(last.bucket) == values.size


def test_scalars_of_batches(tmp_path):
    fit(tmp_path, update_freq="batch")
    assert [step for step, _ in scalars(tmp_path / "train", "batch_loss")] == [*range(1, 10)]
    fit(tmp_path / "some", update_freq=4)
    assert [step for step, _ in scalars(tmp_path / "some/train", "batch_loss")] == [4, 8]


def test_evaluate_alone(tmp_path):
    model, _ = fit(tmp_path / "fit")
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[callbacks.TensorBoard(tmp_path)])
    assert scalars(tmp_path / "validation", "evaluation_loss_vs_iterations") == [
        (9, pytest.approx(loss))
    ]
    pickle.loads(pickle.dumps(callbacks.TensorBoard(tmp_path)))


def test_without_the_library_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments):
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "numba-cnn\[tensorboard\]"'):
        callbacks.TensorBoard()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"update_freq": "never"}, "update_freq"),
        ({"histogram_freq": -1}, "histogram_freq"),
        ({"log_dir": ""}, "log_dir"),
    ],
)
def test_bad_input(settings, message):
    with pytest.raises(ValueError, match=message):
        callbacks.TensorBoard(**settings)
