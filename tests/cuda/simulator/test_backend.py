"""The simulator as a backend: found by its name, never chosen, fed and read like a GPU."""

import threading

import numpy as np
import parity
import pytest

import numba_cnn as nc
from numba_cnn import backends, commands, ops
from numba_cnn.backends import cuda

SIZES = {"train": 10, "test": 2}  # images


def test_it_is_available_under_its_own_name_and_never_chosen():
    assert backends.available() == ["cpu", "cuda (simulator)"]
    assert cuda.is_simulator()
    assert cuda.why_unavailable() is None
    assert backends.get("auto").NAME == "cpu"
    assert backends.get("cuda") is cuda


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
def test_arrays_come_back_as_they_went(dtype):
    for shape in ((), (3,), (2, 3), (2, 1, 3, 5)):
        array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
        device = cuda.asarray(array)
        assert cuda.owns(device)
        assert cuda.asarray(device) is device
        got = cuda.to_numpy(device)
        np.testing.assert_array_equal(got, array)
        assert got.dtype == array.dtype


def test_many_uploads_do_not_overwrite_each_other():
    arrays = [np.full((2, n), n, np.float32) for n in (3, 1, 7, 2, 5)]
    on_device = [cuda.asarray(array) for array in arrays]
    for array, device in zip(arrays, on_device, strict=True):
        np.testing.assert_array_equal(cuda.to_numpy(device), array)


def test_arrays_with_strides_are_copied():
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    part = cuda.asarray(array)[:, 1:4]
    copied = cuda.asarray(part)
    assert copied.is_c_contiguous()
    np.testing.assert_array_equal(cuda.to_numpy(copied), array[:, 1:4])
    np.testing.assert_array_equal(cuda.to_numpy(ops.relu(part)), array[:, 1:4])


def test_arrays_are_made_while_another_thread_copies():
    array = np.arange(48, dtype=np.float32).reshape(8, 6)
    part = cuda.asarray(array)[:, 1:4]
    copies = [threading.Thread(target=cuda.asarray, args=(part,)) for _ in range(4)]
    for copy in copies:
        copy.start()
    while any(copy.is_alive() for copy in copies):
        cuda.asarray(array)


def test_mixed_places_are_refused():
    x = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError, match="different backends"):
        ops.relu_backward(cuda.asarray(x), x)


def test_a_label_out_of_range_is_nan_and_nothing_else():
    logits, labels = parity.Draw()(3, 4), np.array([1, 9, 2])
    loss, dlogits = ops.sparse_categorical_crossentropy(
        cuda.asarray(logits), cuda.asarray(labels.astype(np.int32))
    )
    assert np.isnan(cuda.to_numpy(loss))
    assert np.isnan(cuda.to_numpy(dlogits)[1]).all()
    assert np.isfinite(cuda.to_numpy(dlogits)[[0, 2]]).all()


def _model(backend, weights=None):
    """The tutorial's model for images of 12x12: narrower, and its third filter finds one pixel
    left.
    """
    layers = nc.layers
    model = nc.models.Sequential(
        [
            layers.Input(shape=(12, 12, 3)),
            layers.Conv2D(4, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(4, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(8, (3, 3), activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    if weights is not None:
        model.set_weights(weights)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"], backend=backend)
    return model


def test_training_gives_what_the_cpu_gives():
    """Three steps of Adam: losses to 1e-5, weights to 1e-4."""
    rng = np.random.default_rng(3)
    x, labels = rng.random((6, 12, 12, 3), np.float32), rng.integers(0, 10, 6)
    nc.set_random_seed(5)
    host = _model("cpu")
    device = _model("cuda", host.get_weights())
    for step in range(3):
        rows = slice(2 * step, 2 * step + 2)
        settings = {"batch_size": 2, "epochs": 1, "verbose": 0, "shuffle": False}
        losses = [
            model.fit(x[rows], labels[rows], **settings).history["loss"][0]
            for model in (host, device)
        ]
        assert abs(losses[0] - losses[1]) < 1e-5
    for want, got in zip(host.get_weights(), device.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        device.predict(x[:1], verbose=0), host.predict(x[:1], verbose=0), atol=1e-4
    )


def test_the_command_trains_on_the_device(tmp_path, monkeypatch, capsys):
    """From the command line to the saved model; the small model stands in for the tutorial's, which would take long."""
    rng = np.random.default_rng(4)
    data = {f"x_{part}": rng.random((n, 12, 12, 3), np.float32) for part, n in SIZES.items()}
    labels = {f"y_{part}": np.arange(n) % 10 for part, n in SIZES.items()}
    np.savez(tmp_path / "tiny.npz", **data, **labels)
    monkeypatch.setattr(nc.models, "tutorial_cnn", lambda shape, classes: _model("cpu"))
    settings = f"--data {tmp_path / 'tiny.npz'} --epochs 1 --batch-size 5 --no-report --out {tmp_path / 'out'}"
    assert commands.main(["train", "--backend", "cuda", *settings.split()]) == 0
    assert "backend cuda (simulator)" in capsys.readouterr().out
    loaded = nc.models.load_model(tmp_path / "out" / "model.keras")
    loss, _ = loaded.evaluate(data["x_test"], labels["y_test"], verbose=0)
    assert np.isfinite(loss)
    assert (tmp_path / "out" / "history.csv").read_text().count("\n") == 2


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loaded_model_lives_where_it_was_asked_to(tmp_path, compiled):
    model = nc.Sequential([nc.layers.Dense(2, input_shape=(3,))])
    if compiled:
        model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    model.save(tmp_path / "m.keras")
    for backend, home in (
        ("cuda", cuda),
        ("cpu", backends.get("cpu")),
        ("auto", backends.get("cpu")),
    ):
        loaded = nc.models.load_model(tmp_path / "m.keras", backend=backend)
        assert loaded.backend is home
        assert all(home.owns(parameter.value) for parameter in loaded.weights)
