"""Datasets: what they hold, that they repeat, and that shapes are no task for a linear model."""

import sys

import numpy as np
import pytest

from numba_cnn import datasets, layers, models, session
from numba_cnn.datasets import digits as digits_function
from numba_cnn.datasets.digits import bilinear


class TestDigits:
    def test_what_it_holds(self):
        (x_train, y_train), (x_test, y_test) = datasets.digits()
        assert (x_train.shape, x_test.shape) == ((1442, 64, 64, 3), (355, 64, 64, 3))
        assert (x_train.dtype, y_train.dtype) == (np.float32, np.int32)
        counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # of UCI's description
        assert (np.bincount(y_train) + np.bincount(y_test)).tolist() == counts
        assert np.bincount(y_test).tolist() == [count // 5 for count in counts]
        for x in (x_train, x_test):
            assert x.min() == 0
            assert 0.9 < x.max() <= 1
            assert (x[..., 0] == x[..., 2]).all()
            assert x.flags.c_contiguous

    def test_known_pixels(self):
        (x, y), _ = digits_function(8)
        assert y[:4].tolist() == [0, 1, 2, 3]
        first = [0, 0, 5, 13, 9, 1, 0, 0]
        np.testing.assert_array_equal(x[0, 0, :, 1] * 16, first)

    def test_enlarging_is_linear_between_the_centres_of_pixels(self):
        weights = bilinear(3, 12)
        np.testing.assert_allclose(weights.sum(1), 1)
        np.testing.assert_allclose(weights @ [0, 8, 16], [0, 0, 1, 3, 5, 7, 9, 11, 13, 15, 16, 16])


class TestShapes:
    def test_what_it_holds(self):
        (x_train, y_train), (x_test, y_test) = datasets.shapes(100, seed=3)
        assert (x_train.shape, x_test.shape) == ((80, 64, 64, 3), (20, 64, 64, 3))
        assert np.bincount(y_train).tolist() == [8] * 10
        assert np.bincount(y_test).tolist() == [2] * 10
        assert (x_train.dtype, y_train.dtype) == (np.float32, np.int32)
        assert x_train.min() >= 0
        assert x_train.max() <= 1

    def test_a_seed_fixes_it(self):
        (first, _), _ = datasets.shapes(30, seed=1)
        (again, _), _ = datasets.shapes(30, seed=1)
        (other, _), _ = datasets.shapes(30, seed=2)
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_a_linear_model_fails(self):
        (x_train, y_train), (x_test, y_test) = datasets.shapes(2000)
        session.set_random_seed(0)
        model = models.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
        model.compile(
            "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu"
        )
        model.fit(x_train, y_train, epochs=8, verbose=0)
        assert model.evaluate(x_test, y_test, verbose=0)[1] < 0.25

    @pytest.mark.parametrize("name", ["disk", "square", "star", "corner"])
    def test_areas(self, name):
        from numba_cnn.datasets.shapes import _DEPTHS

        line = np.linspace(-1.5, 1.5, 600)
        inside = _DEPTHS[name](line[None, :], line[:, None]) > 0
        area = inside.mean() * 9
        expected = {"disk": np.pi * 0.81, "square": 1.6**2, "star": 1.2, "corner": 1.6**2 - 1}
        assert area == pytest.approx(expected[name], rel=0.03)


def test_shift():
    x = np.arange(40 * 7 * 9 * 2, dtype=np.float32).reshape(40, 7, 9, 2)
    out = np.full_like(x, -1)
    datasets.shift(x, 2, np.random.default_rng(5), out=out)
    moves = set()
    for before, after in zip(x, out, strict=True):
        (down, right) = next(
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(after[2:5, 2:7], before[2 - down : 5 - down, 2 - right : 7 - right])
        )
        moves.add((down, right))
        rows = [h for h in range(7) if not 0 <= h - down < 7]  # that nothing moved to
        np.testing.assert_array_equal(after[rows], before[rows])
        np.testing.assert_array_equal(
            after[max(down, 0), max(right, 0)], before[max(-down, 0), max(-right, 0)]
        )
    assert len(moves) > 15  # of 25
    assert {down for down, _ in moves} == {right for _, right in moves} == {-2, -1, 0, 1, 2}


class TestImageFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        from PIL import Image

        for label, name in enumerate(("bird", "cat")):
            (tmp_path / name).mkdir()
            for i in range(5):
                colour = (50 * i, 100 * label, 255)
                Image.new("RGB", (9, 7), colour).save(tmp_path / name / f"{i}.png")
        (tmp_path / "bird" / "notes.txt").write_text("no image")
        return tmp_path

    def test_images(self, folder):
        (x_train, y_train), (x_test, y_test) = datasets.image_folder(folder, size=(6, 5))
        assert x_train.shape == (8, 6, 5, 3)
        assert y_train.tolist() == [0] * 4 + [1] * 4
        assert y_test.tolist() == [0, 1]
        np.testing.assert_allclose(x_test[1, 2, 3], [200 / 255, 100 / 255, 1], rtol=1e-6)

    def test_load_takes_the_path(self, folder):
        assert datasets.load(folder)[0][0].shape == (8, 64, 64, 3)

    def test_broken_image(self, folder):
        (folder / "cat" / "x.png").write_bytes(b"no image")
        with pytest.raises(ValueError, match=r"cannot read the image: .* Received: .*x\.png"):
            datasets.image_folder(folder)

    def test_no_images(self, tmp_path):
        with pytest.raises(ValueError, match="expected folders of images"):
            datasets.image_folder(tmp_path)

    def test_without_pillow(self, folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(ImportError, match=r'needs Pillow: pip install "numba-cnn\[images\]"'):
            datasets.image_folder(folder)


class TestLoad:
    def save(self, path, **arrays):
        np.savez(path, **arrays)
        return path

    def test_npz(self, tmp_path):
        x = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
        y = np.array([1, 0, 1, 0])
        path = self.save(
            tmp_path / "set.npz", x_train=x, y_train=y, x_test=x[..., None] / 7, y_test=y
        )
        (x_train, y_train), (x_test, _) = datasets.load(path)
        assert x_train.shape == x_test.shape == (4, 5, 6, 1)
        np.testing.assert_allclose(x_train[..., 0], x / 255, rtol=1e-6)
        np.testing.assert_allclose(x_test[..., 0], x / 7, rtol=1e-6)
        np.testing.assert_array_equal(y_train, y)

    def test_wrong_files(self, tmp_path):
        with pytest.raises(
            ValueError, match=r"expected the arrays x_train.* Received: x in .*a\.npz"
        ):
            datasets.load(self.save(tmp_path / "a.npz", x=np.zeros(3)))
        with pytest.raises(ValueError, match=r"expected images .* Received: \(3,\)"):
            datasets.load(
                self.save(
                    tmp_path / "b.npz",
                    **dict.fromkeys(("x_train", "y_train", "x_test", "y_test"), np.zeros(3)),
                )
            )
        with pytest.raises(
            ValueError, match=r"source must be digits, shapes, a folder, or an \.npz file"
        ):
            datasets.load("mnist")
        with pytest.raises(FileNotFoundError):
            datasets.load(tmp_path / "none.npz")
        (tmp_path / "c.npz").write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match=r"cannot read the arrays: .* Received: .*c\.npz"):
            datasets.load(tmp_path / "c.npz")

    def test_pickles_are_refused(self, tmp_path):
        np.save(tmp_path / "d.npy", np.array([print], dtype=object))
        (tmp_path / "d.npy").rename(tmp_path / "d.npz")
        with pytest.raises(ValueError, match="allow_pickle=False"):
            datasets.load(tmp_path / "d.npz")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: datasets.digits(0), "digits: size must be an integer of at least 1. Received: 0"),
        (lambda: datasets.digits(siz=8), "did you mean 'size'"),
        (lambda: datasets.shapes(-1), "shapes: n must be"),
        (lambda: datasets.load(""), "load: source must be a name or a path"),
        (lambda: datasets.image_folder(""), "image_folder: path must be a path"),
        (lambda: datasets.image_folder(".", (0, 8)), "image_folder: size must be"),
    ],
)
def test_wrong_arguments(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


class TestWrongShift:
    x = np.zeros((2, 3, 3, 1), np.float32)

    def shift(self, **wrong):
        given = {"x": self.x, "most": 1, "generator": np.random.default_rng(0), "out": self.x + 1}
        datasets.shift(**given | wrong)

    @pytest.mark.parametrize("wrong", [{"most": 4}, {"out": x}, {"out": x[:1]}, {"x": x[0]}])
    def test_values(self, wrong):
        with pytest.raises(ValueError, match="Received"):
            self.shift(**wrong)

    @pytest.mark.parametrize("wrong", [{"generator": 0}, {"x": [1]}])
    def test_types(self, wrong):
        with pytest.raises(TypeError, match="Received"):
            self.shift(**wrong)
