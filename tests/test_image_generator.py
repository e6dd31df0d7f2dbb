"""ImageDataGenerator: Keras's numbers for the same settings, bits that hang on no thread, and every wrong argument."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import image_generator_peer as peer
import numpy as np
import pytest
from PIL import Image

from numba_cnn import layers, models, set_random_seed, threads
from numba_cnn.backends import cpu
from numba_cnn.preprocessing.image import ImageDataGenerator, Iterator, load_img
from numba_cnn.shapes import AffineTransform2D

DATA = Path(__file__).parent / "data" / "augmentation"
X, Y = peer.images(), np.arange(20) % 4
MODES = "constant", "nearest", "reflect", "wrap"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes of small images of several kinds and sizes; one below another folder, some that are none."""
    home, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for name, count in (("ant", 7), ("bee", 5), ("dog", 6)):
        (home / name / "more").mkdir(parents=True)
        for i in range(count):
            size = 6 + i, 9 + count - i
            pixels = rng.integers(0, 256, (*size, 4)).astype(np.uint8)
            mode = ("RGB", "RGBA", "L", "RGB")[i % 4]
            image = Image.fromarray(pixels).convert(mode)
            place = home / name / "more" if i == 3 else home / name
            image.save(place / f"{i}.{'png' if mode == 'RGBA' else ('PNG', 'bmp')[i % 2]}")
        (home / name / "notes.txt").write_text("no image")
    (home / "list.csv").write_text("no class")
    return home


@pytest.fixture(scope="module")
def of_keras(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("peer") / "facts.npz"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", peer.__file__, str(folder), str(out)],
        capture_output=True, text=True, env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(np.load(out))


def test_what_is_drawn_normalized_and_read_is_what_keras_has(folder, of_keras):
    ours = peer.facts(ImageDataGenerator, str(folder))
    assert ours.keys() == of_keras.keys()
    for name, expected in of_keras.items():
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(ours[name], expected, rtol=1e-4, atol=1e-3, err_msg=name)
            assert ours[name].dtype == expected.dtype, name
        else:
            np.testing.assert_array_equal(ours[name], expected, err_msg=name)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("image", ["square", "wide", "small"])
def test_maps_are_keras_own(image, mode, order):
    """Of SciPy, whose values lie in the file."""
    with np.load(DATA / "affine.npz") as facts:
        x, answers = facts[f"x {image}"], facts[f"{image} {mode} {order}"]
    generator = ImageDataGenerator(fill_mode=mode, cval=77.0, interpolation_order=order)
    for parameters, expected in zip(_parameters(), answers, strict=True):
        y = generator.apply_transform(x, parameters)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, expected, atol=1e-3, err_msg=str(parameters))


def _parameters():
    text = (DATA / "write.py").read_text()
    start = text.index("PARAMETERS = ") + len("PARAMETERS = ")
    return eval(text[start : text.index("]\n", start) + 1])


def test_integers_are_warped_as_floats_are():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    parameters = {"theta": 20, "zx": 0.7, "flip_horizontal": True}
    y = ImageDataGenerator().apply_transform(pixels, parameters)
    expected = ImageDataGenerator().apply_transform(pixels.astype(np.float64), parameters)
    np.testing.assert_array_equal(y, expected)


def test_images_are_warped_beside_a_launch():
    """The threads that make batches don't wait for a step of training."""
    from numba_cnn.backends.cpu.runtime.launch import launching

    x, y = np.ones((1, 4, 4, 1), np.float32), np.zeros((1, 4, 4, 1), np.float32)
    arguments = np.eye(2, 3)[None].reshape(1, 6), AffineTransform2D(1, 4, 4, 1, 4, 4), True
    cpu.warp_images(x, *arguments, "wrap", 0.0, y)
    y[:] = 0
    with launching():
        thread = threading.Thread(target=cpu.warp_images, args=(x, *arguments, "wrap", 0.0, y))
        thread.start()
        thread.join(5)
        assert not thread.is_alive()
    assert y.all()


CHANGING = {
    "rotation_range": 30,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "brightness_range": (0.5, 1),
}


def passes(flow, epochs=2):
    """By place, all samples of each epoch."""
    found = []
    for _ in range(epochs):
        order = flow.index_array
        batches = [next(flow)[0] for _ in range(len(flow))]
        found.append(np.concatenate(batches)[np.argsort(order)])
    return found


def test_bits_hang_on_seed_epoch_and_sample_alone(folder, monkeypatch):
    generator = ImageDataGenerator(**CHANGING)
    how = {"target_size": (12, 12), "seed": 5}
    first, second = passes(generator.flow_from_directory(folder, batch_size=4, **how))
    assert (first != second).any(axis=(1, 2, 3)).all()
    monkeypatch.setattr(threads, "cores", lambda: 1)
    again = passes(generator.flow_from_directory(folder, batch_size=7, **how))
    np.testing.assert_array_equal([first, second], again)
    unshuffled = passes(generator.flow_from_directory(folder, shuffle=False, **how))
    np.testing.assert_array_equal([first, second], unshuffled)


def test_two_flows_of_one_seed_go_together(folder):
    """As scripts have it for images and their masks."""
    flows = [ImageDataGenerator(**CHANGING).flow(X, X, 6, seed=1) for _ in range(2)]
    for _ in range(9):
        (a, ya), (b, yb) = map(next, flows)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(ya, yb)


def test_set_random_seed_fixes_what_is_drawn():
    made = []
    for _ in range(2):
        set_random_seed(4)
        made.append(next(ImageDataGenerator(**CHANGING).flow(X, Y, 20)))
    np.testing.assert_array_equal(made[0][0], made[1][0])
    np.testing.assert_array_equal(made[0][1], made[1][1])


def test_a_pass_has_each_sample_once():
    flow = ImageDataGenerator().flow(X, np.arange(20), 8, seed=0)
    for _ in range(3):
        seen = [label for _ in range(3) for label in next(flow)[1].tolist()]
        assert sorted(seen) == list(range(20))
    first = flow.next()[1].tolist()
    flow.reset()
    assert first != flow.next()[1].tolist()  # an epoch of its own
    assert len({tuple(flow[1][1].tolist()), tuple(flow[1][1].tolist())}) == 1
    with pytest.raises(IndexError, match=r"there are 3 batches. Received: batch 3"):
        flow[3]


def test_arrays_stay_as_they_are():
    x = X.copy()
    flow = ImageDataGenerator(rescale=0.5, samplewise_center=True).flow(x, batch_size=20)
    next(flow)
    np.testing.assert_array_equal(x, X)


def test_arrays_go_along():
    flow = ImageDataGenerator().flow((X, [Y, -Y]), Y, 20, shuffle=False)
    (x, *others), y = next(flow)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(others, [y, -y])


def test_a_function_of_images_is_called_in_order():
    seen = []

    def note(x):
        seen.append(float(x[0, 0, 0]))
        return x

    flow = ImageDataGenerator(preprocessing_function=note).flow(X, batch_size=20, shuffle=False)
    next(flow)
    np.testing.assert_array_equal(seen, X[:, 0, 0, 0])


def test_statistics_may_be_set():
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match=r"featurewise_center does nothing before fit\(x\)"):
        generator.standardize(X[0].copy())
    generator.mean = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(generator.standardize(X[0].copy()), X[0] - [1.0, 2, 3], rtol=1e-6)


def test_what_is_implied_is_said():
    with pytest.warns(UserWarning, match="samplewise_std_normalization sets samplewise_center too"):
        assert ImageDataGenerator(samplewise_std_normalization=True).samplewise_center


def test_batches_are_written_to_be_looked_at(folder, tmp_path):
    flow = ImageDataGenerator().flow_from_directory(
        folder, batch_size=5, save_to_dir=tmp_path, save_prefix="seen", save_format="jpeg"
    )
    next(flow)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 5
    assert all(name.startswith("seen_") and name.endswith(".jpeg") for name in names)
    assert load_img(tmp_path / names[0]).size == (256, 256)


class TestTables:
    @pytest.fixture
    def table(self, folder):
        names = sorted(path.name for path in (folder / "ant").glob("*.PNG"))[:2]
        return {"file": [*names, "none.png"], "kind": ["x", "y", "y"],
                "weight": np.arange(len(names) + 1) / 2, "a": np.arange(len(names) + 1), "short": ["x"]}  # fmt: skip

    def flow(self, folder, table, **settings):
        how = {"x_col": "file", "y_col": "kind", "target_size": (4, 4), "shuffle": False}
        with pytest.warns(UserWarning, match="1 of 3 files in x_col='file' are no image files"):
            return ImageDataGenerator().flow_from_dataframe(table, folder / "ant", **how | settings)

    def test_classes(self, folder, table, capsys):
        flow = self.flow(folder, table, weight_col="weight")
        assert capsys.readouterr().out == (
            "Found 2 validated image filenames belonging to 2 classes.\n"
        )
        x, y, weight = next(flow)
        assert flow.class_indices == {"x": 0, "y": 1}
        assert flow.class_names == ["x", "y"]
        np.testing.assert_array_equal(y, np.eye(2))
        np.testing.assert_array_equal(weight, [0, 0.5])
        assert x.shape == (2, 4, 4, 3)

    def test_several_classes_of_an_image(self, folder, table):
        table["kind"] = [["x", "y"], ["z"], "x"]
        y = next(self.flow(folder, table))[1]
        np.testing.assert_array_equal(y, [[1, 1, 0], [0, 0, 1]])
        y = next(self.flow(folder, table, classes=["z", "y"]))[1]
        np.testing.assert_array_equal(y, [[0, 1], [1, 0]])

    def test_old_words(self, folder, table):
        with (
            pytest.warns(DeprecationWarning, match="class_mode='other' is class_mode='raw' today"),
            pytest.warns(DeprecationWarning, match="drop_duplicates= is needed no more today"),
        ):
            flow = self.flow(folder, table, class_mode="other", y_col="a", drop_duplicates=False)
        np.testing.assert_array_equal(next(flow)[1], [0, 1])

    def test_numbers(self, folder, table):
        y = next(self.flow(folder, table, class_mode="raw", y_col="a"))[1]
        np.testing.assert_array_equal(y, [0, 1])
        y = next(self.flow(folder, table, class_mode="raw", y_col=["a", "weight"]))[1]
        np.testing.assert_array_equal(y, [[0, 0], [1, 0.5]])
        y = next(self.flow(folder, table, class_mode="multi_output", y_col=["a", "weight"]))[1]
        np.testing.assert_array_equal(y, [[0, 1], [0, 0.5]])
        assert next(self.flow(folder, table, class_mode=None)).shape == (2, 4, 4, 3)

    def test_structured_arrays(self, folder, table):
        rows = np.array([(n, k) for n, k in zip(table["file"], table["kind"], strict=True)],
                        [("file", "U9"), ("kind", "U9")])  # fmt: skip
        assert self.flow(folder, rows).class_indices == {"x": 0, "y": 1}

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"x_col": "files"}, ValueError, "x_col must be a column .* Received: 'files'"),
            ({"y_col": "a"}, TypeError, r"takes names of classes in y_col, .* Received: "),
            ({"class_mode": "raw"}, TypeError, "y_col must hold numbers. Received: 'x'"),
            ({"class_mode": "multi_output"}, TypeError, "takes a list of columns as y_col"),
            ({"class_mode": "binary", "classes": ["x"]}, ValueError, r"takes two classes. Received: \['x'\]"),
            ({"weight_col": "kind"}, TypeError, "weight_col must hold numbers"),
            ({"x_col": "a"}, TypeError, "x_col='a' must hold paths"),
            ({"y_col": "short"}, ValueError, "columns must be of one length. Received: 3 and 1 rows"),
            ({"class_mode": "binar"}, ValueError, "class_mode must be one of .*did you mean 'binary'"),
        ],
    )  # fmt: skip
    @pytest.mark.filterwarnings("ignore:flow_from_dataframe")
    def test_wrong(self, folder, table, settings, error, message):
        how = {"x_col": "file", "y_col": "kind"} | settings
        with pytest.raises(error, match=message):
            ImageDataGenerator().flow_from_dataframe(table, folder / "ant", **how)


def test_a_model_learns_from_a_folder(folder):
    generator = ImageDataGenerator(rescale=1 / 255, validation_split=0.3, **CHANGING)
    how = {"target_size": (8, 8), "batch_size": 4}
    train = generator.flow_from_directory(folder, subset="training", **how)
    tests = generator.flow_from_directory(folder, subset="validation", **how)
    made = []
    for _ in range(2):
        set_random_seed(1)
        train.epoch = 0
        model = models.Sequential(
            [layers.Flatten(input_shape=(8, 8, 3)), layers.Dense(3, activation="softmax")]
        )
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(train, validation_data=tests, epochs=2, verbose=0).history
        assert len(history["val_accuracy"]) == 2
        made.append(history["loss"])
    assert model.predict(tests, verbose=0).shape == (tests.samples, 3)


def test_own_iterators():
    class Squares(Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array**2

    flow = Squares(5, 2, False, None)
    assert [next(flow).tolist() for _ in range(4)] == [[0, 1], [4, 9], [16], [0, 1]]


def test_no_thread_is_left(folder):
    flow = ImageDataGenerator().flow_from_directory(folder, target_size=(4, 4), batch_size=3)
    before = threading.active_count()
    for _ in range(20):
        next(flow)
    assert threading.active_count() == before


def test_hidden_files_and_folders_are_none(folder, tmp_path):
    for name in ("cat", ".ipynb_checkpoints", "cat/.cache"):
        (tmp_path / name).mkdir(parents=True)
        for file in ("1.png", "._1.png"):
            Image.new("RGB", (3, 3)).save(tmp_path / name / file)
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    flow = ImageDataGenerator().flow_from_directory(tmp_path)
    assert (flow.class_indices, flow.filenames) == ({"cat": 0}, ["cat/1.png"])


def test_a_broken_image_is_named(folder, tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "broken.png").write_bytes(b"no image")
    flow = ImageDataGenerator().flow_from_directory(tmp_path)
    with pytest.raises(ValueError, match=r"cannot read the image: .*broken\.png"):
        next(flow)


GENERATORS = [
    ({"rotation_range": "a"}, "rotation_range must be a finite number. Received: 'a'"),
    ({"width_shift_range": [[1]]}, r"width_shift_range must be a number or a list of numbers. Received: \[\[1\]\]"),
    ({"zoom_range": [1, 2, 3]}, r"zoom_range must be two numbers. Received: \[1, 2, 3\]"),
    ({"zoom_range": "a"}, "zoom_range must be a number or two numbers. Received: 'a'"),
    ({"brightness_range": 0.5}, "brightness_range must be two numbers. Received: 0.5"),
    ({"fill_mode": "nearst"}, r"fill_mode must be one of .* \(did you mean 'nearest'\?\). Received: 'nearst'"),
    ({"validation_split": 1.0}, "validation_split must be a finite number .* Received: 1.0"),
    ({"interpolation_order": 3}, "interpolation_order must be one of 0, 1. Received: 3"),
    ({"preprocessing_function": 3}, "preprocessing_function must be a function. Received: 3"),
    ({"data_format": "channels_first"}, "data_format must be one of 'channels_last' .* Received"),
    ({"dtype": "int8"}, "dtype must be one of .* Received: 'int8'"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), GENERATORS)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=f"^ImageDataGenerator: {message}"):
        ImageDataGenerator(**settings)


CALLS = [
    (lambda g, f: g.flow(X[0]), ValueError, r"flow: x must be images \(N, H, W, C\) of numbers. Received: an array"),
    (lambda g, f: g.flow(X, Y[:3]), ValueError, r"must have the same length. Received: \[20, 3\]"),
    (lambda g, f: g.flow(X, Y, subset="test"), ValueError, "subset must be one of 'training', 'validation'"),
    (lambda g, f: g.flow(X, np.sort(Y), subset="training"), ValueError,
     "must have the same classes; shuffle .* Received: 4 and 0 classes"),
    (lambda g, f: g.flow(X, batch_size=0), ValueError, "batch_size must be an integer of at least 1. Received: 0"),
    (lambda g, f: g.flow_from_directory(f / "none"), FileNotFoundError, "none"),
    (lambda g, f: g.flow_from_directory(f / "ant" / "more"), ValueError, "must hold a folder of images for each class"),
    (lambda g, f: g.flow_from_directory(3), TypeError, "directory must be a path. Received: 3"),
    (lambda g, f: g.flow_from_directory(f, classes=["cat"]), ValueError,
     "classes must be folders in .*, which has ant, bee, dog. Received: 'cat'"),
    (lambda g, f: g.flow_from_directory(f, target_size=(3,)), ValueError, "target_size must be .* Received: "),
    (lambda g, f: g.flow_from_directory(f, target_sise=(3, 3)), TypeError, "no argument 'target_sise' .*'target_size'"),
    (lambda g, f: g.fit(X[0]), ValueError, r"fit: x must be images \(N, H, W, C\) of numbers. Received: an array"),
    (lambda g, f: g.random_transform(X), ValueError, r"x must be an image \(H, W, C\) of numbers. Received: an array"),
    (lambda g, f: next(ImageDataGenerator(preprocessing_function=lambda x: x[1:]).flow(X)), ValueError,
     r"preprocessing_function must return an image of shape \(5, 6, 3\). Received: an array of shape \(4, 6, 3\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), CALLS)
def test_wrong_calls(folder, call, error, message):
    with pytest.raises(error, match=message):
        call(ImageDataGenerator(), folder)
