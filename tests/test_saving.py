"""Files: what comes back is what was saved, and no file, however broken, does harm."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest
import small_cnn

from numba_cnn import layers, losses, metrics, models, optimizers
from numba_cnn.files import replacing


def trained(optimizer="adam"):
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    fit(model)
    return model


def fit(model):
    x, y = small_cnn.data()
    return model.fit(x, y, shuffle=False, verbose=0).history


def assert_same_weights(first, second):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "optimizer", ["adam", "rmsprop", "sgd", optimizers.SGD(0.1, momentum=0.5, nesterov=True)]
)
def test_a_loaded_model_goes_on_as_if_never_saved(tmp_path, optimizer):
    model = trained(optimizer)
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", backend="cpu")
    rate = {"learning_rate": pytest.approx(model.optimizer.learning_rate)}  # stored as float32
    assert loaded.optimizer.get_config() == model.optimizer.get_config() | rate
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in model.layers
    ]
    assert_same_weights(model, loaded)
    assert fit(loaded) == fit(model)
    assert_same_weights(model, loaded)


def test_weights(tmp_path):
    model, other = trained(), small_cnn.build(layers, models)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(model, other)


def test_settings_that_are_not_the_default_come_back(tmp_path):
    model = models.Sequential(name="mine")
    model.add(
        layers.Conv2D(
            6, (3, 2), strides=(2, 1), padding="same", groups=2, use_bias=False,
            kernel_initializer="he_normal", input_shape=(9, 8, 4), name="first", trainable=False,
        )
    )  # fmt: skip
    model.add(layers.Conv2D(4, 2, dilation_rate=(1, 2), bias_initializer="ones"))
    model.add(layers.MaxPooling2D(3, strides=1, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Dense(5))
    model.add(layers.Softmax())
    model.compile(
        optimizers.Adam(0.2, beta_1=0.8, epsilon=1e-3),
        losses.SparseCategoricalCrossentropy(name="ours"),
        metrics=[metrics.SparseCategoricalAccuracy(name="right")],
        backend="cpu",
    )
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", backend="cpu")
    assert loaded.name == "mine"
    assert loaded.get_config() == model.get_config()
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert (loaded.loss.name, loaded.metrics[0].name) == ("ours", "right")
    assert [p.path for p in loaded.non_trainable_weights] == ["mine/first/kernel"]
    assert_same_weights(model, loaded)


def test_names_in_the_file_count_classes(tmp_path):
    """Keras finds weights by class and order: the second model of a process must save like the first."""
    small_cnn.build(layers, models)
    model = small_cnn.build(layers, models)
    assert model.layers[0].name == "conv2d_2"
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert sorted(file["layers"]) == [
            "conv2d", "conv2d_1", "dense", "dense_1", "flatten", "max_pooling2d", "re_lu",
        ]  # fmt: skip
        assert file["layers/conv2d_1/vars"].attrs["name"] == "conv2d_3"
        assert file["layers/conv2d_1/vars/0"].shape == (3, 3, 5, 7)
        assert "optimizer" not in file


def test_layout_of_the_keras_file(tmp_path):
    trained().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        config = json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            state = file["optimizer/vars"]
            assert len(state) == 2 + 2 * 8
            assert (state["0"][()], state["0"].dtype) == (1, np.int32)
            assert state["1"][()] == np.float32(0.001)
            assert state["2"].shape == state["3"].shape == (3, 2, 2, 5)
            assert state.attrs["name"] == "adam"
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert config["build_config"] == {"input_shape": [None, 11, 9, 2]}


@pytest.mark.parametrize("compile", [True, False])
def test_a_backend_that_is_none_is_refused_at_once(tmp_path, compile):
    with pytest.raises(ValueError, match=r"backend must be .*\. Received: 'tpu'"):
        models.load_model(tmp_path / "none.keras", None, compile, backend="tpu")


class TestWriting:
    def test_an_interrupted_save_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "file"
        path.write_text("old")

        def interrupted():
            with replacing(path) as file:
                file.write(b"new")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["file"]

    def test_overwrite(self, tmp_path):
        model = small_cnn.build(layers, models)
        model.save(tmp_path / "m.keras")
        model.save(tmp_path / "m.keras")
        with pytest.raises(FileExistsError, match=r"m\.keras exists; pass overwrite=True"):
            model.save(tmp_path / "m.keras", overwrite=False)
        assert os.listdir(tmp_path) == ["m.keras"]

    def test_other_names(self, tmp_path):
        model = small_cnn.build(layers, models)
        with pytest.warns(UserWarning, match=r"written as .*m\.keras\.weights\.h5"):
            model.save_weights(tmp_path / "m.keras")
        model.load_weights(tmp_path / "m.keras")
        with pytest.raises(FileNotFoundError):
            model.save(tmp_path / "none" / "m.keras")

    def test_unbuilt(self, tmp_path):
        model = models.Sequential([layers.Dense(2)])
        for method, name in ((model.save, "m.keras"), (model.load_weights, "m.weights.h5")):
            with pytest.raises(ValueError, match="build the model first"):
                method(tmp_path / name)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(
        ValueError,
        match=r"load_model: expected a file, such as .*model\.keras. Received: the folder",
    ):
        models.load_model(tmp_path)


def test_weights_of_another_model(tmp_path):
    """The error names both layers and both shapes; the model keeps its weights."""

    def made(*units, names="ab"):
        stack = [layers.Dense(n, name=name) for n, name in zip(units, names, strict=False)]
        return models.Sequential([layers.Input((5,)), *stack])

    path = tmp_path / "other.weights.h5"
    made(3, 4, names="cd").save_weights(path)
    mine = made(3, 2)
    before = mine.get_weights()
    for model, said in (
        (
            mine,
            r"layer 'b' has weights of shapes \[\(3, 2\), \(2,\)\], the file has 'd' with \[\(3, 4\), \(4,\)\]",
        ),
        (
            made(3, 4, 5, names="abc"),
            r"layer 'c' has weights of shapes \[\(4, 5\), \(5,\)\], the file has nothing",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            model.load_weights(path)
    for a, b in zip(before, mine.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras"])
def test_layers_that_the_file_has_otherwise_are_skipped_if_asked(name, tmp_path):
    first = models.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    save = first.save if name == "m.keras" else first.save_weights
    save(tmp_path / name)
    other = models.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(5), layers.Dense(1)])  # fmt: skip
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"the file has .* with \[\(3, 2\), \(2,\)\]"):
        other.load_weights(tmp_path / name)
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with (
        pytest.warns(UserWarning, match=r"keeps its weights: .* with \[\(3, 2\), \(2,\)\]"),
        pytest.warns(UserWarning, match="keeps its weights: .* the file has nothing in its place"),
    ):
        other.load_weights(tmp_path / name, skip_mismatch=True)
    for a, b in zip(other.get_weights(), [*first.get_weights()[:2], *before[2:]], strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"by_name is for \.h5 files"):
        other.load_weights(tmp_path / name, by_name=True)
