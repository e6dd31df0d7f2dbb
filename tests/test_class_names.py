"""Names of classes: from the data set to the model, its file, Keras, and the command line."""

import os
import pickle
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from numba_cnn import commands, layers, models, preprocessing, utils

NAMES = ["blue", "red"]


def model():
    made = models.Sequential(
        [layers.Flatten(input_shape=(4, 4, 3)), layers.Dense(2, activation="softmax")]
    )
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(10):
            Image.new("RGB", (8, 8), colour).save(tmp_path / "images" / name / f"{i}.png")
    return tmp_path / "images"


def test_from_data_sets(folder):
    made = model()
    assert made.class_names is None
    made.fit(utils.image_dataset_from_directory(folder, image_size=(4, 4)).repeat(2), verbose=0)
    assert made.class_names == NAMES
    made.fit(np.zeros((2, 4, 4, 3)), [0, 1], verbose=0)
    assert made.class_names == NAMES  # which arrays do not know better
    assert pickle.loads(pickle.dumps(made)).class_names == NAMES
    made = model()
    flow = preprocessing.image.ImageDataGenerator().flow_from_directory(
        folder, (4, 4), class_mode="sparse", classes=["red", "blue"]
    )
    made.fit(flow, verbose=0)
    assert made.class_names == ["red", "blue"]

    class Flow(utils.PyDataset):
        """As other libraries have them."""

        class_indices: ClassVar = {"red": 0, "blue": 1}

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return np.zeros((2, 4, 4, 3)), np.array([0, 1])

    made = model()
    made.fit(Flow(), verbose=0)
    assert made.class_names == ["red", "blue"]


KERAS = """
import keras, numpy as np, sys, warnings
with warnings.catch_warnings():
    warnings.simplefilter("error")
    model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict(np.ones((1, 4, 4, 3)), verbose=0))
model.save(sys.argv[3])
"""


def test_files_keep_them_and_keras_reads_these(tmp_path):
    made = model()
    made.class_names = NAMES
    made.fit(np.zeros((2, 4, 4, 3)), [0, 1], verbose=0)
    made.save(tmp_path / "m.keras")
    assert models.load_model(tmp_path / "m.keras").class_names == NAMES
    paths = [str(tmp_path / name) for name in ("m.keras", "y.npy", "theirs.keras")]
    done = subprocess.run([sys.executable, "-c", KERAS, *paths], capture_output=True, text=True,
                          env=os.environ | {"KERAS_BACKEND": "jax"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = made.predict(np.ones((1, 4, 4, 3)), verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-5)
    assert models.load_model(tmp_path / "theirs.keras").class_names is None


def test_the_command_line_prints_them(folder, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert commands.main(["train", "--data", str(folder), "--epochs", "1", "--out", out]) == 0
    capsys.readouterr()
    assert commands.main(["predict", f"{out}/model.keras", str(folder / "red" / "0.png")]) == 0
    assert capsys.readouterr().out.split("\t")[1] in NAMES


@pytest.mark.parametrize("names", ["red", 3, ["a", 1]])
def test_wrong_names(names):
    with pytest.raises(
        ValueError, match=r"class_names must be a list of strings, or None. Received"
    ):
        model().class_names = names
