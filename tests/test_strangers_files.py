"""Files from strangers: however broken, they end in ValueError or OSError with the path, and cost what they weigh."""

import io
import os
import signal
import time
import warnings

import h5py
import mutations
import numpy as np
import pytest
import small_cnn

from numba_cnn import layers, models
from numba_cnn.datasets.read_arrays import read_arrays
from numba_cnn.datasets.read_image import read_image


def assert_refused_or_read(read, path, contents):
    """Each content is read, or refused with an error that names the path."""
    refused = 0
    for number, content in enumerate(contents):
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a model that is not compiled
                warnings.filterwarnings("ignore", ".*decompression bomb")  # Pillow's, before ours
                read(path)
        except Exception as error:
            if not isinstance(error, OSError | ValueError) or str(path) not in str(error):
                raise AssertionError(f"mutation {number}: {error!r}") from error
            refused += 1
    assert refused > 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a good .keras file with an optimizer's state, of its weights alone, and of an .h5 file."""
    folder = tmp_path_factory.mktemp("whole")
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    model.optimizer.build(model.trainable_weights, model.backend)
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    model.save(folder / "m.h5")
    return tuple((folder / name).read_bytes() for name in ("m.keras", "m.weights.h5", "m.h5"))


@pytest.mark.parametrize("kind", ["damaged", "repacked", "misstated", "misconfigured"])
def test_models(whole, tmp_path, kind):
    settings = {"member": "config.json"} if kind == "misconfigured" else {}
    contents = getattr(mutations, kind)(whole[0], **settings)
    assert_refused_or_read(
        lambda path: models.load_model(path, backend="cpu"), tmp_path / "m.keras", contents
    )


def test_legacy_models(whole, tmp_path):
    assert_refused_or_read(
        lambda path: models.load_model(path, backend="cpu"),
        tmp_path / "m.h5",
        mutations.damaged(whole[2]),
    )


def test_weights_are_taken_over_whole_or_not_at_all(whole, tmp_path):
    model = small_cnn.build(layers, models)
    model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    model.optimizer.build(model.trainable_weights, model.backend)

    def state():
        return [*model.get_weights(), *model.optimizer.get_variables()]

    def read(path):
        before = state()
        try:
            model.load_weights(path)
        except (OSError, ValueError):
            for a, b in zip(before, state(), strict=True):
                np.testing.assert_array_equal(a, b)
            raise

    assert_refused_or_read(read, tmp_path / "m.weights.h5", mutations.damaged(whole[1]))


ARRAYS = {"x": np.arange(60.0).reshape(3, 4, 5), "y": np.arange(3, dtype=np.uint8)}
NPY = mutations.saved(np.save, ARRAYS["x"])
NPZ = mutations.saved(np.savez_compressed, **ARRAYS)


@pytest.mark.parametrize(
    ("suffix", "kind", "content"),
    [
        ("npy", "damaged", NPY),
        ("npz", "damaged", NPZ),
        ("npz", "repacked", NPZ),
        ("npz", "misstated", NPZ),
    ],
)
def test_arrays(tmp_path, suffix, kind, content):
    contents = getattr(mutations, kind)(content)
    assert_refused_or_read(read_arrays, tmp_path / f"a.{suffix}", contents)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_images(tmp_path, kind):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (13, 17, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, exif=exif)
    assert_refused_or_read(
        lambda path: read_image(path, (8, 9)),
        tmp_path / f"i.{kind.lower()}",
        mutations.damaged(file.getvalue()),
    )


def test_layers_take_linear_time():
    """Eight times the layers: 8 times the processor's time where it is linear, 64 where squared."""

    def seconds(count):
        stack = [layers.ReLU() for _ in range(count)]
        start = time.process_time()
        model = models.Sequential([layers.InputLayer((3,)), *stack])
        assert len(model.layers) == count
        return time.process_time() - start

    seconds(10)
    few, many = (min(seconds(count) for _ in range(3)) for count in (2_000, 16_000))
    assert many < 32 * few


def with_state(whole, path, value):
    """The weights file with another dataset at this path."""
    file = io.BytesIO(whole[1])
    with h5py.File(file, "r+") as h5:
        old = h5[path]
        shape, dtype = old.shape, np.asarray(value).dtype
        del h5[path]
        h5.create_dataset(path, data=np.full(shape, value, dtype))
    return file.getvalue()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("optimizer/vars/0", np.nan, "vars/0 must be a number of steps. Received: nan"),
        ("optimizer/vars/0", -1, "vars/0 must be a number of steps. Received: -1"),
        ("optimizer/vars/0", 0.5, "vars/0 must be a number of steps. Received: 0.5"),
        ("optimizer/vars/0", np.inf, "vars/0 must be a number of steps. Received: inf"),
        ("optimizer/vars/0", 2**40, "vars/0 must be a number of steps"),
        ("optimizer/vars/1", np.nan, "vars/1 must be a learning rate. Received: nan"),
        ("optimizer/vars/1", -0.1, "vars/1 must be a learning rate. Received: -0.1"),
        ("optimizer/vars/2", np.nan, "vars/2 must hold finite numbers. Received: nan to nan"),
        ("optimizer/vars/3", -1.0, "vars/3 must hold finite numbers of at least 0"),
        ("optimizer/vars/5", np.inf, "vars/5 must hold finite numbers of at least 0"),
        ("layers/dense/vars/0", 1e300, "numbers too large for float32"),
    ],
)
def test_numbers_that_would_spoil_a_model(whole, tmp_path, path, value, message):
    model = small_cnn.build(layers, models)
    model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    model.optimizer.build(model.trainable_weights, model.backend)
    before = model.get_weights()
    (tmp_path / "m.weights.h5").write_bytes(with_state(whole, path, value))
    with pytest.raises(ValueError, match=rf"{message}.* .*m\.weights\.h5"):
        model.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "settings",
    [
        {"compression": "gzip"},
        {"chunks": (2**20, 2), "maxshape": (None, None)},
    ],
)
def test_weights_that_unpack_to_more_than_the_file(tmp_path, settings):
    model = models.Sequential([layers.Dense(20, use_bias=False, input_shape=(30,))])
    with h5py.File(tmp_path / "m.weights.h5", "w") as h5:
        h5.create_dataset("layers/dense/vars/0", (30, 20), "f4", **settings)
    with pytest.raises(ValueError, match=r"must be stored as it is.*m\.weights\.h5"):
        model.load_weights(tmp_path / "m.weights.h5")


@pytest.fixture
def _ten_seconds():
    """Who waits longer fails."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it is waited for"))
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_ten_seconds")
@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png", "a.keras"])
def test_pipes_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    read = {"png": lambda path: read_image(path, (8, 8)), "keras": models.load_model}
    with pytest.raises(ValueError, match=rf"expected a regular file. Received: .*{name}"):
        read.get(name[2:], read_arrays)(tmp_path / name)


@pytest.mark.parametrize("read", [read_arrays, lambda path: read_image(path, (8, 8))])
def test_files_that_are_not_there(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="none'"):
        read(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        read(tmp_path)


def test_arrays_of_objects_and_of_text(tmp_path):
    for values, message in (
        (np.array([print]), "allow_pickle=False"),
        (np.array(["a"]), "numbers"),
    ):
        np.save(tmp_path / "a.npy", values, allow_pickle=True)
        with pytest.raises(ValueError, match=rf"{message}.*a\.npy"):
            read_arrays(tmp_path / "a.npy")
