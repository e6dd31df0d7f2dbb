"""From an image file to an array: every mode, number of bits and orientation; and which files are images at all."""

import os
import socket

import numpy as np
import pytest
from PIL import Image, ImageCms

from numba_cnn import datasets, utils
from numba_cnn.datasets.read_image import as_array, read_image

SIZE = (8, 8)
RAMP = np.arange(64).reshape(SIZE) * (65535 / 63)  # from black to white, in 16 bits


def colours():
    return np.random.default_rng(1).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def written(image, path, **settings):
    image.save(path, **settings)
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_of_16_bits_keeps_them(tmp_path, suffix, channels):
    deep = RAMP.round().astype(np.uint16)
    path = written(Image.fromarray(deep), tmp_path / f"ramp.{suffix}")
    x = read_image(path, SIZE, channels)
    assert x.shape == (*SIZE, channels)
    np.testing.assert_allclose(x, np.repeat(deep[..., None] / 65535, channels, -1), rtol=1e-6)


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N", "I"])
def test_every_layout_of_deep_grey(mode):
    deep = RAMP.round().astype(np.uint16)
    if mode == "I":
        image = Image.fromarray(deep.astype(np.int32))
    else:
        order = {"I;16B": ">u2", "I;16N": "=u2"}.get(mode, "<u2")
        image = Image.frombytes(mode, SIZE[::-1], deep.astype(order).tobytes())
    assert image.mode == mode
    np.testing.assert_allclose(as_array(image, SIZE, 1)[..., 0], deep / 65535, rtol=1e-6)


def test_deep_grey_is_resized_within_its_range():
    edge = np.zeros((40, 40), np.uint16)
    edge[:, 20:] = 65535
    x = as_array(Image.fromarray(edge), (10, 9), 3)
    assert (x.min(), x.max()) == (0, 1)
    expected = as_array(Image.fromarray((edge >> 8).astype(np.uint8)), (10, 9), 3)
    np.testing.assert_allclose(x, expected, atol=0.01)


def test_floats_stay(tmp_path):
    values = (RAMP / 65535).astype(np.float32)
    path = written(Image.fromarray(values), tmp_path / "f.tif")
    np.testing.assert_array_equal(read_image(path, SIZE, 1)[..., 0], values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.float32([[0, 1.5]]), r"values of 0\.\.1 in an image of mode F. Received: 0.0 to 1.5"),
        (np.float32([[-0.5, 1]]), r"values of 0\.\.1 .* Received: -0.5 to 1.0"),
        (np.float32([[0, np.nan]]), r"values of 0\.\.1 .* Received: nan to nan"),
        (np.int32([[0, 70000]]), r"values of 0\.\.65535 in an image of mode I.* Received: 0 to 70000"),
        (np.int32([[-1, 5]]), r"values of 0\.\.65535 .* Received: -1 to 5"),
    ],
)  # fmt: skip
def test_values_out_of_range(tmp_path, values, message):
    path = written(Image.fromarray(values), tmp_path / "wrong.tif")
    with pytest.raises(ValueError, match=rf"{message} in .*wrong\.tif"):
        read_image(path, SIZE)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX"])
def test_colours_are_those_stored_whatever_their_transparency(mode):
    pixels = colours()
    image = Image.fromarray(pixels).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(pixels[..., 0]))
    np.testing.assert_allclose(as_array(image, SIZE, 3), pixels / 255, rtol=1e-6)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey(mode):
    pixels = colours()[..., 0]
    image = Image.fromarray(pixels).convert(mode)
    if mode == "LA":
        image.putalpha(100)
    for channels in (1, 3):
        expected = np.repeat(pixels[..., None] / 255, channels, -1)
        np.testing.assert_allclose(as_array(image, SIZE, channels), expected, rtol=1e-6)


def test_one_bit():
    bits = np.indices(SIZE).sum(0) % 2 == 0
    np.testing.assert_array_equal(as_array(Image.fromarray(bits), SIZE, 1)[..., 0], bits)


@pytest.mark.parametrize(("mode", "alpha"), [("RGBa", "RGBA"), ("La", "LA")])
def test_premultiplied_colours_are_divided_again(mode, alpha):
    colour = (200, 100, 50)[: len(alpha) - 1]
    image = Image.new(alpha, SIZE, (*colour, 128)).convert(mode)
    np.testing.assert_allclose(
        as_array(image, SIZE, 3)[0, 0], np.broadcast_to(colour, 3) / 255, atol=0.01
    )


@pytest.mark.parametrize("mode", ["YCbCr", "CMYK", "HSV", "LAB"])
def test_other_spaces_of_colour(mode):
    """The same colour again, but for what the conversion rounds."""
    image = Image.new("RGB", SIZE, (200, 100, 50))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    else:
        image = image.convert(mode)
    assert image.mode == mode
    x = as_array(image, SIZE, 3)
    np.testing.assert_allclose(x[0, 0], np.array([200, 100, 50]) / 255, atol=0.02)
    assert as_array(image, SIZE, 1).shape == (*SIZE, 1)


@pytest.mark.parametrize("transparency", [None, 0, bytes(range(200, 250))])
@pytest.mark.parametrize("channels", [1, 3])
def test_palettes(tmp_path, transparency, channels):
    image = Image.fromarray(colours() // 64 * 64).quantize(50)
    settings = {} if transparency is None else {"transparency": transparency}
    path = written(image, tmp_path / "p.png", **settings)
    expected = np.asarray(image.convert("RGB"), np.float32) / 255
    x = read_image(path, SIZE, channels)
    if channels == 3:
        np.testing.assert_allclose(x, expected, rtol=1e-6)
    else:
        np.testing.assert_allclose(x[..., 0], expected @ [0.299, 0.587, 0.114], atol=0.005)


def test_a_palette_with_alpha():
    pixels = colours() // 64 * 64
    image = Image.fromarray(pixels).quantize(64).convert("PA")
    image.putalpha(7)
    assert image.mode == "PA"
    expected = np.asarray(image.convert("RGBA"))[..., :3] / 255
    np.testing.assert_allclose(as_array(image, SIZE, 3), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I;16B"]
)
def test_modes_in_files(tmp_path, mode):
    path = written(Image.new(mode, (9, 7)), tmp_path / "m.tif")
    for channels in (1, 3):
        x = read_image(path, (6, 5), channels)
        assert (x.shape, x.dtype) == ((6, 5, channels), np.float32)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_orientation(tmp_path, orientation, suffix):
    """A white corner, wherever the file has it, ends where EXIF says."""
    corners = {
        1: (0, 0),
        2: (0, 1),
        3: (1, 1),
        4: (1, 0),
        5: (0, 0),
        6: (0, 1),
        7: (1, 1),
        8: (1, 0),
    }
    stored = np.zeros((16, 32), np.uint8)
    stored[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(Image.fromarray(stored), tmp_path / f"turned.{suffix}", exif=exif)
    x = read_image(path, (16, 16), 1)[..., 0]
    white = np.array([[x[:8, :8].mean(), x[:8, 8:].mean()], [x[8:, :8].mean(), x[8:, 8:].mean()]])
    assert np.unravel_index(white.argmax(), (2, 2)) == corners[orientation]


def test_of_an_animation_the_first_frame(tmp_path):
    frames = [Image.new("RGB", (9, 7), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    path = written(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_image(path, SIZE)[0, 0], [1, 0, 0])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_image_is_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = written(Image.fromarray(noise), tmp_path / f"cut.{suffix}")
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ValueError, match=rf"cannot read the image: .*cut\.{suffix}"):
        read_image(path, SIZE)


def test_formats_that_run_other_programs_are_no_images(tmp_path):
    path = written(Image.new("RGB", (5, 5)), tmp_path / "a.eps")
    with pytest.raises(ValueError, match=r"expected one of BMP, .*a\.eps"):
        read_image(path, SIZE)


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        for label, name in enumerate(("bird", "cat")):
            (tmp_path / name).mkdir()
            for i in range(5):
                written(
                    Image.new("RGB", (9, 7), (50 * i, 100 * label, 0)), tmp_path / name / f"{i}.png"
                )
        return tmp_path

    def labels(self, folder):
        (_, y_train), (_, y_test) = datasets.image_folder(folder, (4, 4))
        return y_train.tolist(), y_test.tolist()

    @pytest.mark.parametrize("name", [".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir"])
    def test_hidden_folders_are_no_classes(self, folder, name):
        (folder / name).mkdir()
        written(Image.new("RGB", (9, 7)), folder / name / "0.png")
        assert self.labels(folder) == ([0] * 4 + [1] * 4, [0, 1])

    def test_an_empty_folder_is_a_class(self, folder):
        (folder / "ant").mkdir()
        assert self.labels(folder) == ([1] * 4 + [2] * 4, [1, 2])

    def test_what_is_no_image_is_left_alone(self, folder):
        """Neither opened, which would wait for a pipe, nor read, which would fail."""
        cat = folder / "cat"
        for name in (".DS_Store", "._0.png", "Thumbs.db", "desktop.ini", "notes.txt"):
            (cat / name).write_bytes(b"no image")
            (folder / name).write_bytes(b"no image")
        os.mkfifo(cat / "pipe.png")
        os.mkfifo(folder / "pipe")
        (cat / "nowhere.png").symlink_to("none.png")
        (cat / "circle.png").symlink_to("circle.png")
        (cat / "folder.png").mkdir()
        (folder / "broken").symlink_to("none")
        with socket.socket(socket.AF_UNIX) as server:
            before = os.getcwd()
            os.chdir(cat)  # a socket's path must be short
            server.bind("socket.png")
            os.chdir(before)
            assert self.labels(folder) == ([0] * 4 + [1] * 4, [0, 1])

    def test_links_to_classes_and_images_count(self, folder, tmp_path_factory):
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (folder / "cat").rename(elsewhere / "cat")
        (folder / "dog").symlink_to(elsewhere / "cat")
        (folder / "bird" / "9.png").symlink_to("0.png")
        assert self.labels(folder) == ([0] * 5 + [1] * 4, [0, 1])


def test_grey_of_16_bits_keeps_them_in_scripts_too(tmp_path):
    deep = RAMP.round().astype(np.uint16)
    path = written(Image.fromarray(deep), tmp_path / "ramp.png")
    x = utils.img_to_array(utils.load_img(path, color_mode="grayscale"))
    np.testing.assert_array_equal(x[..., 0], deep)
