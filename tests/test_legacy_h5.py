"""The .h5 files of Keras 1 and 2: those that Keras 2 wrote are read; with Keras 3 they go both ways."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import small_cnn

from numba_cnn import callbacks, layers, models

KERAS_2 = Path(__file__).with_name("data") / "keras2"
X = np.random.default_rng(0).random((4, 8, 8, 3), dtype=np.float32)


def model(name="first"):
    made = models.Sequential(
        [
            layers.Conv2D(4, 3, input_shape=(8, 8, 3), name=f"{name}_conv"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name=f"{name}_dense"),
        ]
    )
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    made.fit(X, [0, 1, 2, 0], verbose=0)
    return made


@pytest.mark.parametrize("folder", [KERAS_2, KERAS_2 / "2.12"], ids=["2.15", "2.12"])
@pytest.mark.parametrize("name", ["sequential", "functional", "nested", "inside"])
def test_files_of_keras_2_are_read(name, folder):
    kept = np.load(folder / "outputs.npz")
    read = models.load_model(folder / f"{name}.h5")
    np.testing.assert_allclose(read.predict(kept["x"], verbose=0), kept[name], atol=1e-6)
    if name != "nested":  # which was not compiled
        assert read.optimizer.iterations == 1
        read.fit(kept["x"], kept["y"], verbose=0)
        assert read.optimizer.iterations == 2


@pytest.mark.parametrize("folder", [KERAS_2, KERAS_2 / "2.12"], ids=["2.15", "2.12"])
def test_weights_of_keras_2_are_read(folder):
    kept = np.load(folder / "outputs.npz")
    whole = models.load_model(folder / "sequential.h5")
    before = whole.get_weights()
    whole.set_weights([np.zeros_like(weight) for weight in before])
    whole.load_weights(folder / "sequential_weights.h5")
    np.testing.assert_allclose(whole.predict(kept["x"], verbose=0), kept["sequential"], atol=1e-6)


@pytest.mark.parametrize("folder", [KERAS_2, KERAS_2 / "2.12"], ids=["2.15", "2.12"])
def test_trees_of_weights_of_keras_2_are_read(folder):
    kept = np.load(folder / "outputs.npz")
    whole = models.load_model(folder / "sequential.h5")
    state = whole.optimizer.get_variables()
    whole.fit(kept["x"], kept["y"], verbose=0)
    whole.set_weights([np.zeros_like(weight) for weight in whole.get_weights()])
    whole.load_weights(folder / "sequential.weights.h5")
    np.testing.assert_allclose(whole.predict(kept["x"], verbose=0), kept["sequential"], atol=1e-6)
    for now, before in zip(whole.optimizer.get_variables(), state, strict=True):
        np.testing.assert_allclose(now, before, rtol=1e-3, atol=1e-6)  # of another run


@pytest.mark.parametrize("folder", [KERAS_2, KERAS_2 / "2.13"], ids=["2.15", "2.13"])
def test_keras_files_of_keras_2_are_read(folder):
    """Up to 2.13 what has weights counts twice in their names; none of them keeps the learning rate with the state."""
    kept = np.load(folder / "outputs.npz")
    read = models.load_model(folder / "inside.keras")
    np.testing.assert_allclose(read.predict(kept["x"], verbose=0), kept["inside"], atol=1e-6)
    assert [type(read.optimizer).__name__, read.optimizer.iterations] == ["RMSprop", 1]
    assert [metric.name for metric in read.metrics] == ["binary_accuracy"]
    assert any(np.abs(array).sum() > 0 for array in read.optimizer.get_variables()[2:])
    read.fit(kept["x"], kept["y"], verbose=0)
    assert read.optimizer.iterations == 2


def test_a_model_comes_back_and_trains_on_as_the_first(tmp_path):
    first = model()
    first.save(tmp_path / "m.h5")
    again = models.load_model(tmp_path / "m.h5")
    for one in (first, again):
        one.fit(X, [0, 1, 2, 0], verbose=0, shuffle=False)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


KERAS = """
import sys, keras, numpy as np
folder = sys.argv[1]
x = np.load(folder + "/x.npy")
ours = keras.models.load_model(folder + "/ours.h5")
np.save(folder + "/ours.npy", ours.predict(x, verbose=0))
weights = keras.models.clone_model(ours); weights.load_weights(folder + "/weights.h5")
np.save(folder + "/weights.npy", weights.predict(x, verbose=0))
i = keras.Input((8, 8, 3))
inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()])
theirs = keras.Model(i, keras.layers.Dense(3)(keras.layers.Flatten()(inner(i))))
theirs.compile("adam", keras.losses.MeanSquaredError()); theirs.fit(x, np.zeros((4, 3)), verbose=0)
theirs.save(folder + "/theirs.h5"); np.save(folder + "/theirs.npy", theirs.predict(x, verbose=0))
"""


def test_keras_3_reads_ours_and_the_other_way(tmp_path):
    ours = model()
    ours.save(tmp_path / "ours.h5")
    ours.save_weights(tmp_path / "weights.h5")
    np.save(tmp_path / "x.npy", X)
    done = subprocess.run(
        [sys.executable, "-c", KERAS, str(tmp_path)], capture_output=True, text=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = ours.predict(X, verbose=0)
    for name in ("ours", "weights"):
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), expected, atol=1e-6)
    theirs = models.load_model(tmp_path / "theirs.h5")
    assert theirs.optimizer.iterations == 1
    np.testing.assert_allclose(
        theirs.predict(X, verbose=0), np.load(tmp_path / "theirs.npy"), atol=1e-6
    )
    with h5py.File(tmp_path / "theirs.h5") as h5:  # Keras itself takes up no state from such a file
        names = h5["optimizer_weights"].attrs["weight_names"]
        state = [h5["optimizer_weights"][name][()] for name in names]
    for a, b in zip(theirs.optimizer.get_variables(), state, strict=True):
        np.testing.assert_array_equal(a, b)


def test_by_place_by_name_and_what_does_not_fit(tmp_path):
    first, other = model(), model("other")
    first.save_weights(tmp_path / "w.h5")
    other.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.predict(X, verbose=0), first.predict(X, verbose=0))
    other = model("other")
    before = other.get_weights()
    other.load_weights(tmp_path / "w.h5", by_name=True)
    after, given = other.get_weights(), first.get_weights()
    for i in range(len(before)):
        np.testing.assert_array_equal(after[i], given[i] if 2 <= i < 6 else before[i])
    wide = models.Sequential(
        [
            layers.Conv2D(4, 3, input_shape=(8, 8, 3)),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    with pytest.raises(
        ValueError,
        match=r"dense.* must have weights of shapes .*\(144, 5\).* Received: .*\(144, 3\)",
    ):
        wide.load_weights(tmp_path / "w.h5")
    with pytest.warns(UserWarning, match="the layer keeps its weights"):
        wide.load_weights(tmp_path / "w.h5", skip_mismatch=True)
    np.testing.assert_array_equal(wide.get_weights()[0], given[0])


def test_a_model_without_weights_that_fit_changes_nothing(tmp_path):
    first = small_cnn.compiled()
    before = first.get_weights()
    model().save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="Received"):
        first.load_weights(tmp_path / "w.h5")
    for a, b in zip(first.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_endings(tmp_path):
    first = model()
    with pytest.warns(UserWarning, match=r"save: the file is written as .*folder\.keras"):
        first.save(tmp_path / "folder")
    again = models.load_model(tmp_path / "folder")
    with pytest.warns(
        UserWarning, match=r"save_weights: the file is written as .*cp\.ckpt\.weights\.h5"
    ):
        first.save_weights(tmp_path / "cp.ckpt")
    again.load_weights(tmp_path / "cp.ckpt")
    np.testing.assert_array_equal(again.predict(X, verbose=0), first.predict(X, verbose=0))
    first.fit(
        X, [0, 1, 2, 0], verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "best.hdf5")]
    )
    models.load_model(tmp_path / "best.hdf5")


def test_folders_above_are_made_as_keras_2_made_them(tmp_path):
    first = model()
    first.save(tmp_path / "a" / "m.h5")
    first.save_weights(tmp_path / "b" / "w.h5")
    with pytest.warns(UserWarning, match="the file is written as"):
        first.save(tmp_path / "c" / "folder")
    with pytest.warns(UserWarning, match="the file is written as"):
        first.save_weights(tmp_path / "d" / "my_checkpoint")
    for made in ("a/m.h5", "b/w.h5", "c/folder.keras", "d/my_checkpoint.weights.h5"):
        assert (tmp_path / made).is_file()
    with pytest.raises(FileNotFoundError):  # as Keras 3
        first.save(tmp_path / "e" / "m.keras")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_file_without_the_optimizer(ending, tmp_path):
    first = model()
    first.fit(X, [0, 1, 2, 0], verbose=0)
    for name, asked in (("whole", {}), ("bare", {"include_optimizer": False})):
        first.save(tmp_path / f"{name}.{ending}", **asked)
    models.save_model(first, tmp_path / f"same.{ending}", include_optimizer=False)
    size = {path.stem: path.stat().st_size for path in tmp_path.iterdir()}
    assert size["bare"] == size["same"]
    weights = sum(array.nbytes for array in first.get_weights())  # Adam has twice as many
    assert size["whole"] - size["bare"] > weights
    again = models.load_model(tmp_path / f"bare.{ending}")
    assert again.optimizer is None
    np.testing.assert_array_equal(again.predict(X, verbose=0), first.predict(X, verbose=0))
    assert models.load_model(tmp_path / f"whole.{ending}").optimizer is not None


def test_many_layers_have_their_names_in_pieces(tmp_path):
    deep = models.Sequential(
        [layers.Dense(1, name=f"{i:04}{'x' * 200}", input_shape=(1,)) for i in range(330)]
    )
    deep.save_weights(tmp_path / "deep.h5")
    with h5py.File(tmp_path / "deep.h5") as h5:
        assert "layer_names" not in h5.attrs
        assert "layer_names0" in h5.attrs
    before = deep.get_weights()
    deep.set_weights([weight + 1 for weight in before])
    deep.load_weights(tmp_path / "deep.h5")
    np.testing.assert_array_equal(np.ravel(deep.get_weights()[600]), np.ravel(before[600]))


def broken(path, change):
    model().save(path)
    with h5py.File(path, "r+") as h5:
        change(h5)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda h5: h5.attrs.__delitem__("model_config"),
        lambda h5: h5.attrs.__setitem__("model_config", "{"),
        lambda h5: h5.attrs.__setitem__("model_config", "[" * 100_000),
        lambda h5: h5.attrs.__setitem__("model_config", '{"class_name": "Lambda", "config": {}}'),
        lambda h5: h5["model_weights"].attrs.__delitem__("layer_names"),
        lambda h5: h5["model_weights/norm"].attrs.__setitem__("weight_names", [b"../../x"]),
        lambda h5: h5["model_weights"].__delitem__("norm"),
        lambda h5: h5["model_weights"].attrs.__setitem__("layer_names", 3.5),
    ],
)
def test_broken_files_are_one_sentence(tmp_path, change):
    path = broken(tmp_path / "m.h5", change)
    with pytest.raises(ValueError, match=r"m\.h5"):
        models.load_model(path)


def test_links_out_of_the_file_are_not_followed(tmp_path):
    model().save(tmp_path / "secret.h5")

    def change(h5):
        del h5["model_weights/norm"]
        h5["model_weights/norm"] = h5py.ExternalLink(
            str(tmp_path / "secret.h5"), "/model_weights/norm"
        )

    with pytest.raises(ValueError, match="must be stored in the file itself"):
        models.load_model(broken(tmp_path / "m.h5", change))
