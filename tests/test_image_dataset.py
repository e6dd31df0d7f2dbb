"""image_dataset_from_directory, and the words of datasets: Keras's files, labels and pixels; few at a time."""

import threading
import time
from pathlib import Path

import image_dataset_cases as cases
import numpy as np
import pytest
from PIL import Image

from numba_cnn import layers, models, preprocessing, utils
from numba_cnn.threads import cores
from numba_cnn.utils.dataset import INFINITE, UNKNOWN, Dataset

DATA = Path(__file__).parent / "data" / "image_dataset" / "facts.npz"
make = utils.image_dataset_from_directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("images")
    cases.write_images(home)
    return home


def test_files_labels_and_pixels_are_keras_own(folder):
    ours, expected = cases.facts(make, folder), np.load(DATA)
    assert ours.keys() == set(expected)
    for name, value in expected.items():
        if value.dtype.kind == "f":
            assert ours[name].dtype == value.dtype
            np.testing.assert_allclose(ours[name], value, atol=1 / 255, err_msg=name)
        else:
            np.testing.assert_array_equal(ours[name], value, err_msg=name)


def test_what_is_printed(folder, capsys):
    make(folder, validation_split=0.3, subset="both", seed=1)
    assert capsys.readouterr().out == (
        "Found 12 files belonging to 3 classes.\nUsing 9 files for training.\nUsing 3 files for validation.\n"
    )
    make(folder, verbose=False)
    assert not capsys.readouterr().out


def test_what_is_called_on_tensors_gives_tensors(folder):
    ((x, _),) = make(folder, image_size=(6, 7), batch_size=12, shuffle=False)
    flip = layers.RandomFlip("horizontal", seed=1)
    model = models.Sequential([layers.Rescaling(1 / 255), layers.Conv2D(2, 3), layers.Flatten()])
    merged = layers.Add()
    for call in (flip, model, lambda x: model(x, training=True), lambda x: merged([x, x])):
        y, plain = call(x), call(x.numpy())
        assert type(plain) is np.ndarray
        for _ in range(2):  # what is called again leaves what was given alone
            call(x + 1)
        np.testing.assert_array_equal(y.numpy(), plain)
        assert y[0].numpy().shape == plain.shape[1:]


def test_antialiasing_looks_at_all_pixels(tmp_path):
    (tmp_path / "a").mkdir()
    stripes = np.zeros((64, 64), np.uint8)
    stripes[1::4] = 255
    Image.fromarray(stripes).save(tmp_path / "a" / "0.png")
    how = {"image_size": (4, 4), "color_mode": "grayscale", "label_mode": None}
    rough, smooth = (next(iter(make(tmp_path, antialias=a, **how))) for a in (False, True))
    assert np.ptp(rough) == 0
    assert rough.max() == 0
    np.testing.assert_allclose(smooth[0, 1:3], 64, atol=4)


def test_labels_follow_their_images(folder):
    dataset = make(folder, image_size=(8, 8), batch_size=5, seed=3)
    found = dict(zip(dataset.file_paths, range(12), strict=True))
    assert len(found) == 12
    alone = make(folder, image_size=(8, 8), batch_size=None, shuffle=False)
    labels = {x.tobytes(): int(y) for x, y in alone}
    for _ in range(2):
        passed = [
            (x.tobytes(), int(y)) for batch, ys in dataset for x, y in zip(batch, ys, strict=True)
        ]
        assert dict(passed) == labels
        assert len(passed) == 12


def test_orders_hang_on_the_seed_and_the_pass(folder):
    first, second = (make(folder, image_size=(8, 8), seed=3) for _ in range(2))
    orders = [[next(iter(d))[0] for _ in range(2)] for d in (first, second)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0][0] != orders[0][1]).any()
    fixed = make(folder, image_size=(8, 8), shuffle=False)
    np.testing.assert_array_equal(*(next(iter(fixed))[0] for _ in range(2)))


def test_a_model_learns_and_names_go_on(folder):
    train, tests = make(
        folder, image_size=(8, 8), batch_size=4, validation_split=0.3, subset="both", seed=1
    )
    rescale = layers.Rescaling(1 / 255)
    prepared = train.cache().shuffle(100).map(lambda x, y: (rescale(x), y), num_parallel_calls=-1)
    prepared = prepared.prefetch(buffer_size=-1)
    assert prepared.class_names == ["ant", "bee", "dog"]
    model = models.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(prepared, validation_data=tests, epochs=2, verbose=0).history
    assert len(history["val_accuracy"]) == 2
    assert model.predict(tests, verbose=0).shape == (3, 3)
    assert model.evaluate(tests.repeat(), steps=2, verbose=0)[0] > 0


def test_images_are_read_when_they_are_needed_and_few_of_them(folder, monkeypatch):
    read = []
    load = utils.image_dataset.load_img
    monkeypatch.setattr(
        utils.image_dataset, "load_img", lambda *a, **how: read.append(a) or load(*a, **how)
    )
    dataset = make(folder, image_size=(4, 4), batch_size=1)
    assert not read
    threads, passing = threading.active_count(), iter(dataset)
    next(passing)
    time.sleep(0.2)  # in which all of them could be read
    assert len(read) <= 2 * cores()
    assert threading.active_count() <= threads + cores()
    del passing
    assert threading.active_count() == threads


def test_a_broken_image_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "broken.png").write_bytes(b"no image")
    dataset = make(tmp_path)
    with pytest.raises(ValueError, match=r"cannot read the image: .*broken\.png"):
        list(dataset)


def test_smart_resize():
    x = np.random.default_rng(0).uniform(0, 255, (10, 30, 3)).astype(np.float32)
    smart_resize = preprocessing.image.smart_resize
    np.testing.assert_array_equal(smart_resize(x, (10, 10)), x[:, 10:20])
    assert smart_resize(x[None], (5, 9), "lanczos3").shape == (1, 5, 9, 3)
    with pytest.raises(ValueError, match=r"smart_resize: x must be images .* Received: 3"):
        smart_resize(3, (5, 5))


WRONG = [
    ({"label_mode": "ints"}, ValueError, "label_mode must be one of .*did you mean 'int'"),
    ({"color_mode": "bgr"}, ValueError, "color_mode must be one of 'grayscale', 'rgb', 'rgba'.* Received: 'bgr'"),
    ({"interpolation": "area"}, ValueError, "interpolation must be one of .* Received: 'area'"),
    ({"image_size": 0}, ValueError, "image_size must be .* Received: 0"),
    ({"labels": [1, 2]}, ValueError, r"labels must be an integer for each of the 12 files. Received: \[1, 2\]"),
    ({"labels": "infer"}, ValueError, "labels must be \"inferred\", None or a list of integers. Received: 'infer'"),
    ({"labels": None, "class_names": ["ant"]}, ValueError, "class_names go with labels=\"inferred\""),
    ({"class_names": ["cat"]}, ValueError, r"class_names must be folders in .*, which has ant, bee, dog. Received"),
    ({"label_mode": "binary"}, ValueError, r"takes two classes. Received: \['ant', 'bee', 'dog'\]"),
    ({"validation_split": 0.2}, ValueError, "validation_split and subset must be given together"),
    ({"validation_split": 0.2, "subset": "training"}, ValueError, "seed must be given, or shuffle=False"),
    ({"validation_split": 0.01, "subset": "both"}, ValueError, "must leave images on both sides. Received: 12 images"),
    ({"validation_split": 2, "subset": "both"}, ValueError, "validation_split must be a finite number .* Received: 2"),
    ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, ValueError, "only one of crop_to_aspect_ratio and"),
    ({"data_format": "channels_first"}, ValueError, "data_format must be one of 'channels_last'"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1. Received: 0"),
    ({"image_siz": 3}, TypeError, "there is no argument 'image_siz'.*'image_size'"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "error", "message"), WRONG)
def test_wrong_arguments(folder, settings, error, message):
    with pytest.raises(error, match=f"image_dataset_from_directory: .*{message}"):
        make(folder, **settings)


def test_folders_without_images(tmp_path):
    with pytest.raises(ValueError, match=r"directory must hold images, files that end in \.bmp"):
        make(tmp_path)
    with pytest.raises(FileNotFoundError, match="none"):
        make(tmp_path / "none")
    with pytest.raises(AttributeError, match="Keras's 'text_dataset_from_directory' is not served"):
        utils.text_dataset_from_directory  # noqa: B018


class TestWords:
    rows = Dataset.from_tensor_slices(np.arange(10))

    def listed(self, dataset):
        return [np.asarray(one).tolist() for one in dataset]

    def test_elements(self):
        x, y = next(iter(Dataset.from_tensor_slices((np.eye(3), [1, 2, 3])).batch(2)))
        assert x.numpy().tolist() == [[1, 0, 0], [0, 1, 0]]
        assert type(x.numpy()) is np.ndarray
        assert y[1].numpy() == 2
        assert ["a", "b", "c"][y[1]] == "c"
        assert x[0].numpy().astype("uint8").dtype == np.uint8
        (one,) = Dataset.from_tensor_slices({"a": [1], "b": [[2, 3]]}).as_numpy_iterator()
        assert Dataset.range(3).as_numpy_iterator().next() == 0
        assert type(one["b"]) is np.ndarray
        assert one["a"] == 1

    def test_batch(self):
        assert self.listed(self.rows.batch(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert self.listed(self.rows.batch(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert self.listed(self.rows.batch(4).unbatch()) == list(range(10))
        ragged = Dataset.from_generator(lambda: [np.zeros(1), np.zeros(2)])
        with pytest.raises(ValueError, match=r"must have one shape. Received: \[\(1,\), \(2,\)\]"):
            list(ragged.batch(2))

    def test_take_skip_repeat_filter(self):
        assert self.listed(self.rows.skip(7)) == [7, 8, 9]
        assert self.listed(self.rows.take(2).repeat(2)) == [0, 1, 0, 1]
        assert self.listed(self.rows.repeat().skip(9).take(3)) == [9, 0, 1]
        assert self.listed(self.rows.filter(lambda x: x % 4 == 0)) == [0, 4, 8]
        assert self.listed(self.rows.take(1).concatenate(self.rows.skip(9))) == [0, 9]
        assert self.listed(Dataset.zip((self.rows, self.rows.skip(8)))) == [[0, 8], [1, 9]]
        assert self.listed(Dataset.range(2, 5)) == [2, 3, 4]
        assert [(int(i), int(e)) for i, e in self.rows.skip(8).enumerate()] == [(0, 8), (1, 9)]

    @pytest.mark.parametrize("calls", [None, 3, -1])
    def test_map(self, calls):
        assert self.listed(self.rows.map(lambda x: x**2, calls)) == [i**2 for i in range(10)]
        pairs = Dataset.zip((self.rows, self.rows))
        assert self.listed(pairs.map(lambda a, b: a + b, calls)) == [2 * i for i in range(10)]

    def test_shuffle(self):
        shuffled = self.rows.shuffle(4, seed=1)
        first, second = self.listed(shuffled), self.listed(shuffled)
        assert sorted(first) == sorted(second) == list(range(10))
        assert first != second
        assert first[0] < 4
        assert self.listed(self.rows.shuffle(4, seed=1)) == first
        fixed = self.rows.shuffle(10, reshuffle_each_iteration=False)
        assert self.listed(fixed) == self.listed(fixed)
        assert self.listed(self.rows.shuffle(10, 1).repeat(2))[:10] != list(range(10))

    def test_cache(self):
        made = []
        dataset = self.rows.map(lambda x: made.append(x) or x).cache()
        assert self.listed(dataset.take(3)) == [0, 1, 2]
        assert self.listed(dataset) == self.listed(dataset) == list(range(10))
        assert len(made) == 13

    @pytest.mark.parametrize(
        ("dataset", "length"),
        [
            (rows, 10), (rows.batch(4), 3), (rows.batch(4, True), 2), (rows.repeat(2), 20), (rows.repeat(), INFINITE),
            (rows.repeat().take(7), 7), (rows.skip(3), 7), (rows.filter(bool), UNKNOWN), (rows.map(bool).cache(), 10),
            (rows.shuffle(2).prefetch(-1), 10), (Dataset.from_generator(list), UNKNOWN), (rows.unbatch(), UNKNOWN),
            (rows.concatenate(rows), 20), (Dataset.zip((rows, rows.take(2))), 2),
        ],
    )  # fmt: skip
    def test_cardinality(self, dataset, length):
        assert dataset.cardinality().numpy() == length
        if length >= 0:
            assert len(dataset) == length
        else:
            with pytest.raises(TypeError, match=r"len: the dataset .* give steps_per_epoch"):
                len(dataset)

    def test_element_spec(self):
        assert self.rows.batch(3).element_spec == ((3,), np.dtype(np.int64))

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda d: d.batch(0), "batch: batch_size must be an integer of at least 1. Received: 0"),
            (lambda d: d.map(3), "map: map_func must be a function. Received: 3"),
            (lambda d: d.cache("file"), "cache: filename must be empty.* Received: 'file'"),
            (lambda d: d.take(-2), "take: count must be an integer of at least 0. Received: -2"),
            (lambda d: Dataset.from_tensor_slices(([1], [1, 2])), r"must be arrays of one length.* lengths \[1, 2\]"),
        ],
    )  # fmt: skip
    def test_wrong(self, call, message):
        with pytest.raises(ValueError, match=message):
            call(self.rows)


def test_its_samples_are_divided_not_its_batches(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(5):
            utils.save_img(tmp_path / name / f"{i}.png", np.full((4, 4, 3), 20 * i), scale=False)
    dataset = utils.image_dataset_from_directory(tmp_path, image_size=(4, 4), batch_size=4)
    left, right = utils.split_dataset(dataset, left_size=0.7)
    assert [len(x) for x, _ in left] == [4, 3]
    assert [len(x) for x, _ in right] == [3]
